// Where a catalog lies when the user does not say.
#include <cstdlib>
#include <memory>

#include "imgmill/catalog/catalog.h"

namespace imgmill {

Result<std::string> DefaultCatalogFolder(const std::string& output_folder, const std::string& input_root) {
  if (!output_folder.empty()) return output_folder + (output_folder.ends_with('/') ? "" : "/") + ".imgmill";
  std::string state;
  // The XDG base directory specification says that a relative path is to be ignored.
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    state = xdg;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    state = std::string(home) + "/.local/state";
  } else {
    return Error{Stage::kConfigure, Code::kUsage,
                 "no place for the catalog: neither HOME nor XDG_STATE_HOME is set (give --catalog DIR, or "
                 "--no-catalog)"};
  }
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(input_root.c_str(), nullptr),
                                                             &std::free);
  const std::string root = resolved ? resolved.get() : input_root;
  return state + "/imgmill/" + DigestOfBytes(root.data(), root.size()).Hex().substr(0, 16);
}

}  // namespace imgmill
