// Cutting and joining paths as bytes, without the file system.
#include "base/path_parts.h"

#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>

namespace imgmill {

std::string ParentOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string_view NameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view StemOf(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return name;
  return name.substr(0, dot);
}

std::string Join(std::string_view folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  path = folder;
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string WithoutRedundancy(std::string_view path) {
  if (path.empty()) return "";
  std::string clean;
  clean.reserve(path.size());
  if (path[0] == '/') clean = "/";
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") {
      if (!clean.empty() && clean.back() != '/') clean += '/';
      clean += part;
    }
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return clean.empty() ? "." : clean;
}

std::optional<std::string> Canonical(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  if (!resolved) return std::nullopt;
  return std::string(resolved.get());
}

std::string AbsoluteEntry(const std::string& path) {
  const std::string clean = WithoutRedundancy(path);
  const std::string_view name = NameOf(clean);
  if (name.empty() || name == "." || name == "..") return Canonical(clean).value_or(clean);
  const std::string parent = ParentOf(clean);
  if (const std::optional<std::string> folder = Canonical(parent)) return Join(*folder, name);
  if (parent == "." || parent == "/") return clean;  // the current folder is gone: nothing better is known
  return Join(AbsoluteEntry(parent), name);
}

bool IsAtOrBelow(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(Join(folder, ""));
}

std::string CanonicalOrEntry(const std::string& path) {
  const std::string entry = AbsoluteEntry(path);
  return Canonical(entry).value_or(entry);
}

}  // namespace imgmill
