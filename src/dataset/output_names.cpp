// What an output is called: after its source, and never like the output of another source of the run.
#include "imgmill/dataset/output_names.h"

#include "base/path_parts.h"
#include "dataset/shortened_name.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {
namespace {

std::string FolderPart(const std::string& relative) {
  return relative.substr(0, relative.size() - NameOf(relative).size());
}

/// What file systems take, in bytes.
constexpr size_t kNameMax = 255;
/// What is added to a stem at most: "_", two places of ten digits with "_" between them, and an extension.
constexpr size_t kAddedMax = 32;

/// The name, told apart from those that begin with it.
std::string Marked(std::string_view name) {
  return std::string(name) + "-" + DigestOfBytes(name.data(), name.size()).Hex().substr(0, 8);
}

}  // namespace

std::string ShortenedName(std::string_view name, size_t added) {
  if (name.size() + added <= kNameMax) return std::string(name);
  const std::string digest = "-" + DigestOfBytes(name.data(), name.size()).Hex().substr(0, 16);
  size_t kept = kNameMax - added - digest.size();
  while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xC0) == 0x80)
    --kept;  // no half of a character
  return std::string(name.substr(0, kept)) + digest;
}

std::string OutputNameFor(const ListedFile& file, std::string_view extension) {
  const std::string_view name = NameOf(file.relative);
  const std::string_view stem = StemOf(name);
  if (extension.empty() || name.substr(stem.size()) == extension) return file.relative;
  std::string kept(stem);
  if (file.clash == NameClash::kStem) kept = name;
  if (file.clash == NameClash::kName) kept = Marked(name);
  return FolderPart(file.relative) + ShortenedName(kept, extension.size()) + std::string(extension);
}

std::string OutputStemFor(const ListedFile& file) {
  const std::string_view name = NameOf(file.relative);
  std::string stem(StemOf(name));
  if (file.clash == NameClash::kStem) stem = name;
  if (file.clash == NameClash::kName) stem = Marked(name);
  return FolderPart(file.relative) + ShortenedName(stem, kAddedMax);
}

}  // namespace imgmill
