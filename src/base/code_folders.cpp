// By the links that the kernel keeps, and the loader's own list.
#include "base/code_folders.h"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>

namespace imgmill {

std::string ProgramFolder() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || length == static_cast<ssize_t>(sizeof path)) return {};
  const std::string program(path, static_cast<size_t>(length));
  return program.substr(0, program.rfind('/') + 1);
}

std::string LibraryFolder(const void* code) {
  Dl_info info = {};
  if (dladdr(code, &info) == 0 || info.dli_fname == nullptr) return {};
  const std::string file = info.dli_fname;
  const size_t slash = file.rfind('/') + 1;  // 0 where there is none
  return file.find(".so", slash) == std::string::npos ? "" : file.substr(0, slash);
}

}  // namespace imgmill
