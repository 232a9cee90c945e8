// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generates the same tokens through the C++ API.
#include <rlx/runtime/session.h>

#include <cstdio>

template <typename T> static int fail(const T &result) {
  std::fprintf(stderr, "%s\n", result.status().message().c_str());
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  auto model = rlx::Model::open(argv[1]);
  if (!model)
    return fail(model);
  auto session = rlx::Session::create(*model);
  if (!session)
    return fail(session);
  if (rlx::Status status = session->prefill({2, 50, 60, 70}); !status.ok())
    return 1;
  rlx::GenerateOptions options;
  options.maxTokens = 8;
  options.ignoreEos = true;
  auto result = session->generate(options);
  if (!result)
    return fail(result);
  for (int32_t token : result->tokens)
    std::printf("%d\n", token);
}
