#include "base/python_packages.h"

#include <glob.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace imgmill {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::vector<std::string> PythonPackageFolders() {
  std::vector<std::string> patterns;
  std::istringstream path(Environment("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    if (folder.empty() || access((folder + "/python3").c_str(), X_OK) != 0) continue;
    const std::string prefix = folder + "/../";
    patterns = {prefix + "lib/python3.*/site-packages", prefix + "local/lib/python3.*/dist-packages",
                prefix + "lib/python3/dist-packages"};
    break;
  }
  if (const std::string home = Environment("HOME"); !home.empty() && !patterns.empty())
    patterns.push_back(home + "/.local/lib/python3.*/site-packages");

  std::vector<std::string> folders;
  for (const std::string& pattern : patterns) {
    glob_t found = {};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      for (size_t i = 0; i < found.gl_pathc; ++i) folders.emplace_back(found.gl_pathv[i]);
    }
    globfree(&found);
  }
  return folders;
}

}  // namespace imgmill
