# Settings and target functions shared by the runtime and the compiler.
include_guard(GLOBAL)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

if(QOPT_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=address,undefined)
endif()

# libFuzzer targets (clang only): the libraries need its counters, or every input looks the same to it.
option(QOPT_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
if(QOPT_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "QOPT_BUILD_FUZZERS needs clang; this is ${CMAKE_CXX_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -g1)
  add_link_options(-fsanitize=address,undefined)
endif()

# Fixtures outside the tree; tests that need them are skipped by name where they are missing.
if(NOT DEFINED QOPT_SHARED)
  if(DEFINED ENV{QOPT_SHARED})
    set(QOPT_SHARED "$ENV{QOPT_SHARED}")
  else()
    get_filename_component(QOPT_SHARED "${CMAKE_CURRENT_LIST_DIR}/../../shared" ABSOLUTE)
  endif()
endif()
get_filename_component(QOPT_SOURCE_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

set(QRT_WARNINGS -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)

# qrt_add_library(name SRC... [LINK lib...]): a static runtime library.
function(qrt_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC
    ${QOPT_SOURCE_ROOT}/python-free-driver
    ${QOPT_SOURCE_ROOT}/python-free-driver/include
    ${QOPT_SOURCE_ROOT}/python-free-driver/lib)
  target_compile_options(${name} PRIVATE ${QRT_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# qrt_add_unittest(name SRC... [LINK lib...]): a GoogleTest program registered with ctest.
# QOPT_SHARED and QOPT_FIXTURES reach it as macros and can be overridden in the environment.
function(qrt_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/unittests)
  target_compile_options(${name} PRIVATE ${QRT_WARNINGS})
  target_compile_definitions(${name} PRIVATE
    QOPT_SHARED_DIR="${QOPT_SHARED}" QOPT_FIXTURES_DIR="${QOPT_SOURCE_ROOT}/test/fixtures")
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY QOPT_UNITTESTS ${name})
endfunction()
