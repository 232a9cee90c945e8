/* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Generates a few tokens through the C API. */
#include <rlx/runtime/rlx.h>

#include <inttypes.h>
#include <stdio.h>

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, rlx_last_error());
  return 1;
}

int main(int argc, char **argv) {
  const int32_t prompt[] = {2, 50, 60, 70};
  rlx_program_t *program;
  rlx_session_t *session;
  int i;
  if (argc != 2)
    return 2;
  if (rlx_program_open(argv[1], NULL, &program) != RLX_OK)
    return fail("open");
  if (rlx_session_create(program, NULL, &session) != RLX_OK)
    return fail("session");
  if (rlx_session_prefill(session, prompt, sizeof(prompt) / sizeof(prompt[0])) != RLX_OK)
    return fail("prefill");
  for (i = 0; i < 8; ++i) {
    int32_t token;
    if (rlx_session_step(session, &token) != RLX_OK)
      return fail("step");
    printf("%" PRId32 "\n", token);
  }
  rlx_session_destroy(session);
  rlx_program_close(program);
  return 0;
}
