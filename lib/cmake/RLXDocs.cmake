# The target rlx-doc, part of every build so that it cannot rot: the reference of
# ops, attributes, types and passes, as Markdown under docs/ of the build tree.
set(RLX_DOC_DIR ${PROJECT_BINARY_DIR}/docs)

# rlx_add_doc(NAME TD GENERATOR...)
function(rlx_add_doc name td)
  set(output ${RLX_DOC_DIR}/${name}.md)
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/dialects/rlx/IR/*.td)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${RLX_DOC_DIR}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} ${PROJECT_SOURCE_DIR}/${td}
            -I ${PROJECT_SOURCE_DIR}/dialects -I ${PROJECT_SOURCE_DIR}/include
            -I ${MLIR_INCLUDE_DIRS} -o ${output}
    DEPENDS ${PROJECT_SOURCE_DIR}/${td} ${inputs}
    VERBATIM)
  set_property(GLOBAL APPEND PROPERTY RLX_DOCS ${output})
endfunction()

rlx_add_doc(Dialect dialects/rlx/IR/RLXOps.td -gen-dialect-doc -dialect=rlx)
rlx_add_doc(Transforms include/rlx/Transforms/Passes.td -gen-pass-doc)
rlx_add_doc(Conversion include/rlx/Conversion/Passes.td -gen-pass-doc)
get_property(docs GLOBAL PROPERTY RLX_DOCS)
add_custom_target(rlx-doc ALL DEPENDS ${docs})
