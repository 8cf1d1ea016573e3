# Finds LibTorch by its files, so that the CPU and the CUDA wheel both work without a CUDA toolkit (the wheel's own
# TorchConfig.cmake asks for one). Looked at in this order: Torch_DIR and CMAKE_PREFIX_PATH, $LIBTORCH, the
# repository's .deps/libtorch/torch, the torch package of the active python3.
#
# Gives the targets LibTorch::Headers, LibTorch::Symbols (what names a symbol of LibTorch's and is loaded after it; no
# run path), LibTorch::LibTorch (all of it, found again by a run path), and LibTorch_ROOT, LibTorch_LIBRARY_DIR, LibTorch_VERSION, LibTorch_HAS_CUDA.

set(_libtorch_hints)
if(Torch_DIR)
  list(APPEND _libtorch_hints ${Torch_DIR}/../../..)  # <root>/share/cmake/Torch
endif()
foreach(_prefix IN LISTS CMAKE_PREFIX_PATH)
  list(APPEND _libtorch_hints ${_prefix} ${_prefix}/.. ${_prefix}/../..)  # <root>, or <root>/share/cmake
endforeach()
if(DEFINED ENV{LIBTORCH})
  list(APPEND _libtorch_hints $ENV{LIBTORCH})
endif()
list(APPEND _libtorch_hints ${PROJECT_SOURCE_DIR}/.deps/libtorch/torch)

function(_libtorch_find)
  set(LibTorch_ROOT "" PARENT_SCOPE)
  foreach(hint IN LISTS ARGN)
    if(EXISTS ${hint}/lib/libtorch_cpu.so AND EXISTS ${hint}/include/torch/csrc/api/include/torch/torch.h)
      get_filename_component(root ${hint} REALPATH)
      set(LibTorch_ROOT ${root} PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

_libtorch_find(${_libtorch_hints})
if(NOT LibTorch_ROOT)
  # `import torch` takes seconds, so Python is asked last.
  find_program(LibTorch_PYTHON NAMES python3 python)
  if(LibTorch_PYTHON)
    execute_process(COMMAND ${LibTorch_PYTHON} -c "import torch; print(torch.utils.cmake_prefix_path)"
                    OUTPUT_VARIABLE _libtorch_prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(_libtorch_prefix)
      _libtorch_find(${_libtorch_prefix}/../..)
    endif()
  endif()
endif()

if(LibTorch_ROOT)
  set(LibTorch_LIBRARY_DIR ${LibTorch_ROOT}/lib)
  file(STRINGS ${LibTorch_LIBRARY_DIR}/libc10.so _libtorch_cxx11 REGEX "cxx1112basic_string" LIMIT_COUNT 1)
  if(NOT _libtorch_cxx11)
    message(FATAL_ERROR "${LibTorch_ROOT} was built with the old C++ ABI (_GLIBCXX_USE_CXX11_ABI=0), which cannot "
                        "be mixed with the rest of the program. LibTorch 2.11 and newer have the new one.")
  endif()
  set(LibTorch_VERSION unknown)
  if(EXISTS ${LibTorch_ROOT}/version.py)
    file(STRINGS ${LibTorch_ROOT}/version.py _libtorch_version REGEX "^__version__")
    string(REGEX REPLACE ".*'(.*)'.*" "\\1" LibTorch_VERSION "${_libtorch_version}")
  elseif(EXISTS ${LibTorch_ROOT}/build-version)
    file(STRINGS ${LibTorch_ROOT}/build-version LibTorch_VERSION LIMIT_COUNT 1)
  endif()
  set(LibTorch_HAS_CUDA FALSE)
  set(_libtorch_link)
  foreach(_library c10_cuda torch_cuda c10_hip torch_hip c10_xpu torch_xpu c10 torch_cpu torch)
    if(EXISTS ${LibTorch_LIBRARY_DIR}/lib${_library}.so)
      string(APPEND _libtorch_link ",${LibTorch_LIBRARY_DIR}/lib${_library}.so")
      if(_library STREQUAL "torch_cuda")
        set(LibTorch_HAS_CUDA TRUE)
      endif()
    endif()
  endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_ROOT VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Run scripts/quickstart.sh, or set LIBTORCH to the folder that holds lib/libtorch_cpu.so, \
or switch it off with -DIMGMILL_TORCH=OFF.")

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::Headers INTERFACE IMPORTED)
  target_include_directories(LibTorch::Headers SYSTEM INTERFACE
    ${LibTorch_ROOT}/include ${LibTorch_ROOT}/include/torch/csrc/api/include)

  add_library(LibTorch::Symbols INTERFACE IMPORTED)
  target_link_options(LibTorch::Symbols INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(LibTorch::Symbols INTERFACE
    LibTorch::Headers ${LibTorch_LIBRARY_DIR}/libc10.so ${LibTorch_LIBRARY_DIR}/libtorch_cpu.so)

  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # Nothing of ours names a symbol of libtorch_cuda: it registers its kernels when it is loaded, so it must stay
  # among the needed libraries. What it needs itself (cuDNN, cuBLAS) it finds by its own run path.
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,--allow-shlib-undefined)
  target_link_libraries(LibTorch::LibTorch INTERFACE LibTorch::Headers
    "-Wl,--push-state,--no-as-needed${_libtorch_link},--pop-state" "-Wl,-rpath,${LibTorch_LIBRARY_DIR}")
endif()
