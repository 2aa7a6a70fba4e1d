# SPDX-License-Identifier: EUPL-1.2
# What every target of ours is compiled with. Warnings and hardening travel by one INTERFACE target;
# sanitizers are the exception that must reach everything, so they are directory-wide.
include_guard(GLOBAL)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(relais_options INTERFACE)
target_compile_options(
  relais_options
  INTERFACE -Wall
            -Wextra
            -Wconversion
            -Wshadow
            -Wstrict-prototypes
            -Wmissing-prototypes
            -Wvla
            -Wformat=2
            -fno-common
            -fstack-protector-strong
            $<$<C_COMPILER_ID:GNU>:-Wduplicated-cond>
            -UNDEBUG # assert() stays on in release: a broken promise stops before it spreads
            "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(NOT RELAIS_SANITIZE) # the sanitizers' own checks of the same functions are sharper
  target_compile_options(relais_options
                         INTERFACE $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
endif()
target_compile_definitions(relais_options INTERFACE _GNU_SOURCE)
target_link_options(relais_options INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)

if(RELAIS_SANITIZE)
  add_compile_options(-fsanitize=${RELAIS_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${RELAIS_SANITIZE})
endif()

if(RELAIS_BUILD_FUZZ) # libFuzzer steers by the coverage of the libraries, not of the target alone
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(PkgConfig REQUIRED)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq>=4.3.4)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb>=0.9.24)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c>=1.4.1)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(CYAML REQUIRED IMPORTED_TARGET libcyaml>=1.3.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8.1)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5.4)
pkg_check_modules(LIBXML2 REQUIRED IMPORTED_TARGET libxml-2.0>=2.9.14)
pkg_check_modules(SYSTEMD IMPORTED_TARGET libsystemd)
find_package(Threads REQUIRED)
