#include "readable_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "imgmill/base/errno_error.h"
#include "imgmill/base/image_format.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

std::optional<std::string> CheckReadable(const std::string& path, const char* what) {
  if (::access(path.c_str(), R_OK) == 0) return std::nullopt;
  return PrintablePath(path) + ": the " + what + " cannot be opened: " + ErrnoText(errno);
}

namespace {

/// The length of a header in JSON, which may look like an image's first bytes, and that header.
bool IsSafetensors(std::string_view start, const std::string& path) {
  constexpr size_t kLength = 8;
  if (start.size() <= kLength || start[kLength] != '{') return false;
  uint64_t length = 0;
  std::memcpy(&length, start.data(), kLength);
  std::error_code none;
  const uintmax_t bytes = std::filesystem::file_size(path, none);
  return !none && bytes >= kLength && length <= bytes - kLength;
}

}  // namespace

Status MayBeWeights(const CommandServices& services, const std::string& path) {
  if (!services.in_pipeline) return {};  // it is loaded at once
  const auto wrong = [&](const std::string& what) {
    return Error{Stage::kConfigure, Code::kModelError, PrintablePath(path) + ": this is " + what};
  };
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) return wrong("a folder, not a weight file");
  std::array<char, 16> head{};
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  file.read(head.data(), head.size());
  const std::string_view start(head.data(), static_cast<size_t>(file.gcount()));
  if (start.empty()) return wrong("an empty file, not weights");
  if (IsSafetensors(start, path)) return {};
  const Signature signature = SignatureOf(start);
  if (signature.format != ImageFormat::kOther)
    return wrong("an image (" + std::string(FactsOf(signature.format).title) + "), not weights");
  // Bytes of length or of a program follow the first ones of all formats.
  const auto is_text = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  return std::all_of(start.begin(), start.end(), is_text)
             ? Status(wrong("a text, not weights: has the download gone wrong?"))
             : Status();
}

}  // namespace imgmill
