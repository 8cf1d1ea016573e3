// One list of folders for all modules.
#include "loadable_module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <vector>

#include "base/code_folders.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

LoadableModule OpenLoadableModule(const std::string& name) {
  std::vector<std::string> folders;
  const std::string program = ProgramFolder();
  for (const char* relative : {"../lib/", "../lib/imgmill/"}) folders.push_back(program + relative);
  if (const std::string library = LibraryFolder(reinterpret_cast<const void*>(&OpenLoadableModule));
      !library.empty()) {
    folders.push_back(library);
    folders.push_back(library + "imgmill/");
  }
  LoadableModule module;
  for (const std::string& folder : folders) {
    const std::string path = folder + name;
    if (!module.tried.empty()) module.tried += "; ";
    module.tried += PrintablePath(path);
    if (access(path.c_str(), F_OK) != 0) {
      module.tried += ": no such file";
      continue;
    }
    module.handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (module.handle != nullptr) return module;
    const char* reason = dlerror();
    module.tried += std::string(": ") + (reason != nullptr ? reason : "unknown reason");
  }
  return module;
}

}  // namespace imgmill
