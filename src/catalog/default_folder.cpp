// Where a catalog lies when the user does not say.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/catalog/catalog.h"

namespace imgmill {

Error NoPlaceForCatalog(const Error& reason) {
  return {reason.stage, reason.code,
          "no place for the catalog: " + reason.message + "; or give --catalog DIR, or --no-catalog"};
}

Result<std::string> StateFolder() {
  // The XDG base directory specification says that a relative path is to be ignored.
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return std::string(xdg) + "/imgmill";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/state/imgmill";
  }
  return NoPlaceForCatalog({Stage::kConfigure, Code::kUsage, "neither HOME nor XDG_STATE_HOME is set"});
}

namespace {

std::string KeyOf(const std::string& text) {
  return DigestOfBytes(text.data(), text.size()).Hex().substr(0, 16);
}

/// By the identities of the inputs; nothing if one of them has none.
std::optional<std::string> LinkName(const std::vector<std::string>& inputs) {
  std::vector<FolderIdentity> identities;
  for (const std::string& input : inputs) {
    const std::optional<FolderIdentity> identity = IdentityOf(input);
    if (!identity) return std::nullopt;
    identities.push_back(*identity);
  }
  if (identities.empty()) return std::nullopt;
  std::sort(identities.begin(), identities.end());
  std::string text;
  for (const FolderIdentity& each : identities)
    text += std::to_string(each.inode) + " " + std::to_string(each.born_ns) + "\n";
  return "of-" + KeyOf(text);
}

}  // namespace

Result<std::string> DefaultCatalogFolder(const std::string& output_folder,
                                         const std::vector<std::string>& inputs) {
  if (!output_folder.empty()) return output_folder + (output_folder.ends_with('/') ? "" : "/") + ".imgmill";
  const std::string state = TRY(StateFolder());
  std::string joined;
  for (const std::string& input : inputs) joined += (joined.empty() ? "" : "\n") + input;
  std::string folder = state + "/" + KeyOf(joined);
  const std::optional<std::string> link = LinkName(inputs);
  if (link && ::access(folder.c_str(), F_OK) != 0) {
    if (std::optional<std::string> before = Canonical(state + "/" + *link)) return *std::move(before);
  }
  return folder;
}

void KeepLink(const std::string& catalog_folder, const std::vector<std::string>& inputs) {
  const std::optional<std::string> link = LinkName(inputs);
  const Result<std::string> state = StateFolder();
  if (!link || !state || CanonicalOrSame(ParentOf(catalog_folder)) != CanonicalOrSame(*state)) return;
  const std::string path = *state + "/" + *link;
  if (Canonical(path) == Canonical(catalog_folder)) return;
  ::unlink(path.c_str());
  const std::string name(NameOf(catalog_folder));
  [[maybe_unused]] const int linked = ::symlink(name.c_str(), path.c_str());
}

}  // namespace imgmill
