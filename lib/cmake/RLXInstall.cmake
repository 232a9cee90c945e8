# The CMake package files of the installed tree; targets join the export set RLXTargets.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/RLX)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/RLXConfig.cmake.in
  ${PROJECT_BINARY_DIR}/RLXConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RLXConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RLXConfig.cmake ${PROJECT_BINARY_DIR}/RLXConfigVersion.cmake
  DESTINATION ${package_dir})
install(EXPORT RLXTargets NAMESPACE RLX:: DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/rlx)
