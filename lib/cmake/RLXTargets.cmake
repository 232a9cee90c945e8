# Functions that define RLX's targets, so that each folder only lists its files.

add_library(rlx_options INTERFACE)
target_compile_options(rlx_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unused-parameter -Wno-comment>
  # GCC counts as redundant what older compilers need to return an llvm::Expected.
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-redundant-move>)
if(RLX_WERROR)
  target_compile_options(rlx_options INTERFACE -Werror)
endif()
if(RLX_SANITIZE)
  # Not `function`: it reads a type before each function, which generated code does not have.
  target_compile_options(rlx_options INTERFACE
    -fsanitize=${RLX_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
  target_link_options(rlx_options INTERFACE -fsanitize=${RLX_SANITIZE})
endif()

# Linked into every executable of the compiler and its tests.
add_library(rlx_sanitizer_options INTERFACE)
if(RLX_SANITIZE MATCHES "address")
  target_sources(rlx_sanitizer_options INTERFACE ${PROJECT_SOURCE_DIR}/lib/cmake/asan_options.cpp)
endif()

# Headers of LLVM and MLIR come in as system headers: their warnings are not ours.
add_library(rlx_mlir INTERFACE)
target_include_directories(rlx_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_compile_definitions(rlx_mlir INTERFACE ${LLVM_DEFINITIONS_LIST})
target_link_libraries(rlx_mlir INTERFACE MLIR LLVM)
target_include_directories(rlx_mlir INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/dialects ${PROJECT_BINARY_DIR}/dialects
  ${PROJECT_BINARY_DIR}/include ${PROJECT_SOURCE_DIR}/runtime/include)

# One precompiled header for every file that includes MLIR (6 s a file without it).
file(WRITE ${PROJECT_BINARY_DIR}/rlx_pch.cpp "")
add_library(rlx_pch OBJECT ${PROJECT_BINARY_DIR}/rlx_pch.cpp)
target_link_libraries(rlx_pch PRIVATE rlx_options rlx_mlir)
target_precompile_headers(rlx_pch PRIVATE ${PROJECT_SOURCE_DIR}/lib/cmake/mlir_pch.h)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(rlx_pch PRIVATE -fpch-instantiate-templates)
endif()

# rlx_add_library(NAME SOURCES... [LINK targets...])
# A static library of the compiler that may include MLIR.
function(rlx_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC rlx_mlir ${ARG_LINK} PRIVATE rlx_options)
  target_precompile_headers(${name} REUSE_FROM rlx_pch)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${name} PRIVATE -fpch-instantiate-templates)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# rlx_add_tool(NAME SOURCES... [LINK targets...])
# A compiler executable in bin/.
function(rlx_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE rlx_mlir ${ARG_LINK} rlx_options rlx_sanitizer_options)
  # An installed tool finds the LLVM that it was built against, as the one in the build tree does.
  set_target_properties(${name} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# rlx_add_unittest(NAME SOURCES... [LINK targets...])
# A GoogleTest executable, in bin/ and registered with CTest.
function(rlx_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main rlx_options
    rlx_sanitizer_options)
  target_compile_definitions(${name} PRIVATE
    RLX_TEST_DATA="${PROJECT_SOURCE_DIR}/test/data" RLX_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
endfunction()
