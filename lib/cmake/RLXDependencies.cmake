# Finds what RLX builds against; each failure says what to install.
set(RLX_LLVM_PREFIX "/usr/lib/llvm-22" CACHE PATH "Prefix of the LLVM/MLIR 22.1 packages")

foreach(package MLIR LLVM LLD)
  string(TOLOWER ${package} dir)
  list(APPEND CMAKE_PREFIX_PATH "${RLX_LLVM_PREFIX}/lib/cmake/${dir}")
endforeach()

find_package(MLIR 22.1 QUIET CONFIG)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR
    "RLX needs LLVM, MLIR and LLD 22.1, which were not found under ${RLX_LLVM_PREFIX}.\n"
    "On Debian or Ubuntu install: llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools "
    "lld-22 liblld-22-dev clang-22\n"
    "Elsewhere install LLVM 22.1 with MLIR and LLD (built with LLVM_LINK_LLVM_DYLIB=ON) and pass "
    "-DRLX_LLVM_PREFIX=<its prefix>.")
endif()
find_package(LLD REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 QUIET)
find_package(tomlplusplus 3 QUIET)
find_package(CLI11 2 QUIET)
find_path(RLX_SENTENCEPIECE_INCLUDE sentencepiece_processor.h)
find_library(RLX_SENTENCEPIECE_LIBRARY sentencepiece)
find_path(RLX_MINIZIP_INCLUDE minizip/zip.h)
find_library(RLX_MINIZIP_LIBRARY minizip)
foreach(dependency
    "nlohmann_json_FOUND:nlohmann-json3-dev"
    "tomlplusplus_FOUND:libtomlplusplus-dev"
    "CLI11_FOUND:libcli11-dev"
    "RLX_SENTENCEPIECE_LIBRARY:libsentencepiece-dev"
    "RLX_MINIZIP_LIBRARY:libminizip-dev")
  string(REPLACE ":" ";" parts ${dependency})
  list(GET parts 0 variable)
  list(GET parts 1 debian)
  if(NOT ${variable})
    list(APPEND RLX_MISSING ${debian})
  endif()
endforeach()
if(RLX_MISSING)
  list(JOIN RLX_MISSING " " missing)
  message(FATAL_ERROR "RLX needs libraries that were not found; on Debian or Ubuntu install: ${missing}")
endif()

add_library(rlx_sentencepiece INTERFACE)
target_include_directories(rlx_sentencepiece SYSTEM INTERFACE ${RLX_SENTENCEPIECE_INCLUDE})
target_link_libraries(rlx_sentencepiece INTERFACE ${RLX_SENTENCEPIECE_LIBRARY})
add_library(rlx_minizip INTERFACE)
target_include_directories(rlx_minizip SYSTEM INTERFACE ${RLX_MINIZIP_INCLUDE})
target_link_libraries(rlx_minizip INTERFACE ${RLX_MINIZIP_LIBRARY})
