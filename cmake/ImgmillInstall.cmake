# What an installation consists of, and the Debian package made from it. The tree can be moved as a whole: programs and
# libraries find each other relative to themselves, and where they lie in it is fixed, since the program looks for its
# module by ../lib/imgmill.
#
#   bin/imgmill                             lib/libimgmill.so, libimgmill_memory.so
#   lib/imgmill/libimgmill_torch.so         lib/imgmill/libtorch -> LibTorch, made by the user or by the option below
#   lib/imgmill/libimgmill_stills.so, libimgmill_video.so
#   include/imgmill, lib/cmake/imgmill      share/man, share/doc, completions, share/imgmill/models

option(IMGMILL_BUNDLE_LIBTORCH "Install a copy of the CPU LibTorch beside the module (450 MB)" OFF)

set_target_properties(imgmill PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
set_target_properties(imgmill_library PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS imgmill RUNTIME DESTINATION bin)
install(TARGETS imgmill_library imgmill_memory LIBRARY DESTINATION lib)
install(TARGETS imgmill_stills imgmill_video LIBRARY DESTINATION lib/imgmill)
if(IMGMILL_TORCH)
  set_target_properties(imgmill_torch PROPERTIES INSTALL_RPATH "$ORIGIN/..")
  install(TARGETS imgmill_torch LIBRARY DESTINATION lib/imgmill)
  if(IMGMILL_BUNDLE_LIBTORCH)
    if(LibTorch_HAS_CUDA)
      message(FATAL_ERROR "IMGMILL_BUNDLE_LIBTORCH copies a CPU build only: CUDA's libraries are packages of their own.")
    endif()
    install(DIRECTORY ${LibTorch_LIBRARY_DIR}/ DESTINATION lib/imgmill/libtorch/lib
            FILES_MATCHING REGEX "/lib(c10|torch_cpu|gomp[^/]*)\\.so[.0-9]*$" PATTERN "libshm*" EXCLUDE)
    foreach(file version.py build-version)
      if(EXISTS ${LibTorch_ROOT}/${file})
        install(FILES ${LibTorch_ROOT}/${file} DESTINATION lib/imgmill/libtorch)
      endif()
    endforeach()
    file(GLOB licences ${LibTorch_ROOT}/../torch-*.dist-info/licenses ${LibTorch_ROOT}/../torch-*.dist-info/LICENSE)
    foreach(licence IN LISTS licences)
      install(CODE "file(INSTALL \"${licence}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/imgmill/libtorch\")")
    endforeach()
  endif()
endif()

include(CMakePackageConfigHelpers)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/imgmillConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/imgmillConfig.cmake INSTALL_DESTINATION lib/cmake/imgmill)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cmake/imgmillConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cmake/imgmillConfig.cmake ${PROJECT_BINARY_DIR}/cmake/imgmillConfigVersion.cmake
        DESTINATION lib/cmake/imgmill)
install(DIRECTORY include/imgmill DESTINATION include FILES_MATCHING PATTERN "*.h")

install(DIRECTORY ${IMGMILL_PAGES}/man1 DESTINATION share/man)
install(FILES ${IMGMILL_PAGES}/bash/imgmill DESTINATION share/bash-completion/completions)
install(FILES ${IMGMILL_PAGES}/fish/imgmill.fish DESTINATION share/fish/vendor_completions.d)
# In /usr, Debian's zsh looks into the folder for packages; elsewhere the usual one is taken.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX MATCHES \"/usr$\")
    set(folder vendor-completions)
  endif()
  file(INSTALL \"${IMGMILL_PAGES}/zsh/_imgmill\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/share/zsh/\${folder}\")")
install(DIRECTORY models/ DESTINATION share/imgmill/models FILES_MATCHING PATTERN "*.safetensors")
install(DIRECTORY docs/ DESTINATION share/doc/imgmill FILES_MATCHING PATTERN "*.md")
# The documents lie beside it there, and what is only in the source is no link.
file(READ README.md readme)
string(REPLACE "](docs/" "](" readme "${readme}")
string(REGEX REPLACE "\\[([^]]*)\\]\\(CONTRIBUTING\\.md\\)" "\\1" readme "${readme}")
# And there is no repository to be in.
string(REPLACE "from the repository root, with `export PATH=$PWD/build/release/bin:$PATH`."
       "in a folder of your own with copies of `sample_data` and `configs`, which lie beside this file."
       readme "${readme}")
file(WRITE ${PROJECT_BINARY_DIR}/README.md "${readme}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
install(FILES ${PROJECT_BINARY_DIR}/README.md DESTINATION share/doc/imgmill)
install(DIRECTORY configs DESTINATION share/doc/imgmill FILES_MATCHING PATTERN "*.yaml")
# The examples of the documents and of configs/ are about these.
install(DIRECTORY sample_data DESTINATION share/doc/imgmill PATTERN draw EXCLUDE PATTERN CMakeLists.txt EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME imgmill)
set(CPACK_PACKAGE_CONTACT "imgmill developers <imgmill@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION graphics)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Finds duplicates, filters, cuts and enlarges the images of a folder from the
command line, within a memory budget and with every image accounted for.

Neural networks run on LibTorch, which is no Debian package of that version:
/usr/share/doc/imgmill/install.md says where imgmill looks for it. Everything
that needs no model works without.")
# Read off the programs; the module's need of LibTorch is not among them, since no package has it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What the loader must be told, and what packages of programs against libimgmill will depend on. CPack's own way would
# count the module among the libraries.
set(_control ${PROJECT_BINARY_DIR}/debian)
file(WRITE ${_control}/triggers "activate-noawait ldconfig\n")
file(WRITE ${_control}/shlibs "")
foreach(library libimgmill libimgmill_memory)
  file(APPEND ${_control}/shlibs "${library} ${IMGMILL_SOVERSION} imgmill (>= ${PROJECT_VERSION})\n")
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${_control}/triggers ${_control}/shlibs)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "bash-completion, python3-pip, cmake, g++, nlohmann-json3-dev")
include(CPack)
