// Where a catalog lies when the user does not say.
#include <cstdlib>

#include "base/path_parts.h"
#include "imgmill/catalog/catalog.h"

namespace imgmill {

Result<std::string> StateFolder() {
  // The XDG base directory specification says that a relative path is to be ignored.
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return std::string(xdg) + "/imgmill";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/state/imgmill";
  }
  return Error{Stage::kConfigure, Code::kUsage,
               "no place for the catalog: neither HOME nor XDG_STATE_HOME is set (give --catalog DIR, or "
               "--no-catalog)"};
}

Result<std::string> DefaultCatalogFolder(const std::string& output_folder, const std::string& input_root) {
  if (!output_folder.empty()) return output_folder + (output_folder.ends_with('/') ? "" : "/") + ".imgmill";
  const Result<std::string> state = StateFolder();
  if (!state) return state.error();
  const std::string root = CanonicalOrSame(input_root);
  return *state + "/" + DigestOfBytes(root.data(), root.size()).Hex().substr(0, 16);
}

}  // namespace imgmill
