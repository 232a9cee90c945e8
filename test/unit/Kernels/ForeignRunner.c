/*===- ForeignRunner.c - Calls kernels of another architecture ------------===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/*
 * Linked with kernels and run under qemu-user. Maps the test's memory where the
 * test has it, then calls the functions that the test names on standard input.
 *
 * usage: runner ARENA_FD ARENA_ADDRESS ARENA_BYTES
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* All operands of kernels are 64-bit integers or pointers; more than a function
 * takes do no harm. */
typedef uint64_t u;
typedef void (*kernel_fn)(u, u, u, u, u, u, u, u, u, u, u, u);
extern const kernel_fn kernels[];

struct request {
  uint64_t kernel;
  u args[12];
};

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  void *address = (void *)strtoull(argv[2], NULL, 0);
  void *arena = mmap(address, strtoull(argv[3], NULL, 0), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, atoi(argv[1]), 0);
  if (arena != address)
    return 3;
  struct request r;
  while (read(0, &r, sizeof(r)) == sizeof(r)) {
    u *a = r.args;
    kernels[r.kernel](a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
    if (write(1, "", 1) != 1)
      return 4;
  }
  return 0;
}
