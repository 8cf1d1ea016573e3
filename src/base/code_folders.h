// Where the running code lies: what modules that are opened on first need are looked for beside.
#pragma once

#include <string>

namespace imgmill {

/// The folder of the running program, with a trailing slash; empty if /proc cannot tell.
std::string ProgramFolder();

/// The folder of the shared library that `code`, a function's address, is part of, with a trailing slash;
/// empty if it is part of a program.
std::string LibraryFolder(const void* code);

}  // namespace imgmill
