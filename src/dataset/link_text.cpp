// What stands in symbolic links, and what must stand there for them to lead to the same file from elsewhere.
#include "dataset/link_text.h"

#include <unistd.h>

#include <climits>

#include "base/path_parts.h"

namespace imgmill {

std::string LinkTextOf(const std::string& path) {
  char text[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof(text));
  return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
}

std::string LinkTextTo(const std::string& path, const std::string& keeper) {
  const std::string parent = ParentOf(path);
  const std::string from = Canonical(parent).value_or(parent) + "/";
  const std::string to = Canonical(keeper).value_or(keeper);
  // The folders that both are in, as bytes up to and with a slash.
  size_t shared = 0;
  for (size_t i = 0; i < from.size() && i < to.size() && from[i] == to[i]; ++i) {
    if (from[i] == '/') shared = i + 1;
  }
  std::string text;
  for (size_t i = shared; i < from.size(); ++i) {
    if (from[i] == '/') text += "../";
  }
  return text + to.substr(shared);
}

std::string MovedLinkText(const std::string& path, const std::string& text) {
  return text.starts_with('/') ? text : Join(ParentOf(path), text);
}

}  // namespace imgmill
