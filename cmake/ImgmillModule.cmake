# imgmill_module(NAME [SHARED] [COMPUTES] [DEPENDS modules...] [LIBRARIES targets...]): one folder of src/ as one target.
# COMPUTES: it has loops over pixels or vectors, which a release build gives the compiler's last effort (-O3).
# imgmill_test(NAME [RUNS_PROGRAM] [DEPENDS modules...] [LIBRARIES targets...]): one folder of tests/ as one doctest program.
# RUNS_PROGRAM: its cases look at what the program itself does, and compute nothing of their own.
# All own code is compiled with the same warnings as errors; third-party headers come in as SYSTEM.

find_package(Threads REQUIRED)

add_library(imgmill_flags INTERFACE)
target_compile_options(imgmill_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # fires falsely on std::string + in GCC 12 (PR 105651)
target_link_libraries(imgmill_flags INTERFACE Threads::Threads)
if(IMGMILL_SANITIZE)
  # GCC's -Wmaybe-uninitialized and friends fire falsely under sanitizers.
  target_compile_options(imgmill_flags INTERFACE -fsanitize=${IMGMILL_SANITIZE} -fno-omit-frame-pointer
                                                 $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(imgmill_flags INTERFACE -fsanitize=${IMGMILL_SANITIZE})
endif()

function(imgmill_module name)
  cmake_parse_arguments(M "SHARED;COMPUTES" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/(main|small_blocks)\\.cpp$")  # of the program alone
  list(TRANSFORM M_DEPENDS PREPEND imgmill_)
  if(NOT sources)
    add_library(imgmill_${name} INTERFACE)
    target_include_directories(imgmill_${name} INTERFACE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(imgmill_${name} INTERFACE ${M_DEPENDS} ${M_LIBRARIES})
    return()
  endif()
  set(kind STATIC)
  if(M_SHARED)
    set(kind SHARED)
  endif()
  add_library(imgmill_${name} ${kind} ${sources})
  target_include_directories(imgmill_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(imgmill_${name} PRIVATE imgmill_flags PUBLIC ${M_DEPENDS} ${M_LIBRARIES})
  if(NOT M_COMPUTES)
    target_compile_options(imgmill_${name} PRIVATE $<$<CONFIG:Release>:-O2>)
  endif()
endfunction()

# Compiled once for all of them.
function(imgmill_test_main)
  add_library(imgmill_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/doctest_main.cpp
                                       ${PROJECT_SOURCE_DIR}/tests/sanitizer_suppressions.cpp)
  target_include_directories(imgmill_test_main SYSTEM PRIVATE ${IMGMILL_DOCTEST})
  target_link_libraries(imgmill_test_main PRIVATE imgmill_flags)
endfunction()

function(imgmill_test name)
  cmake_parse_arguments(T "RUNS_PROGRAM" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  list(TRANSFORM T_DEPENDS PREPEND imgmill_)
  if(NOT TARGET imgmill_test_main)
    imgmill_test_main()
  endif()
  add_executable(test_${name} ${sources} $<TARGET_OBJECTS:imgmill_test_main>)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src)
  target_include_directories(test_${name} SYSTEM PRIVATE ${IMGMILL_DOCTEST})
  target_link_libraries(test_${name} PRIVATE imgmill_flags ${T_DEPENDS} ${T_LIBRARIES})
  target_compile_definitions(test_${name} PRIVATE IMGMILL_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                                                  IMGMILL_BINARY_DIR="${PROJECT_BINARY_DIR}")
  # What is tested is optimised; the tests' own code waits for it, and compiles in half the time.
  set(level -O1)
  if(T_RUNS_PROGRAM)
    set(level -O0)
  endif()
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:${level}>)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
