// What an output is called: after its source, and never like the output of another source of the run.
#include "imgmill/dataset/output_names.h"

#include "dataset/path_parts.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {
namespace {

std::string FolderPart(const std::string& relative) {
  return relative.substr(0, relative.size() - NameOf(relative).size());
}

/// The name, told apart from those that begin with it.
std::string Marked(std::string_view name) {
  return std::string(name) + "-" + DigestOfBytes(name.data(), name.size()).Hex().substr(0, 8);
}

}  // namespace

std::string OutputNameFor(const ListedFile& file, std::string_view extension) {
  const std::string_view name = NameOf(file.relative);
  const std::string_view stem = StemOf(name);
  if (extension.empty() || name.substr(stem.size()) == extension) return file.relative;
  std::string kept(stem);
  if (file.clash == NameClash::kStem) kept = name;
  if (file.clash == NameClash::kName) kept = Marked(name);
  return FolderPart(file.relative) + kept + std::string(extension);
}

std::string OutputStemFor(const ListedFile& file) {
  const std::string_view name = NameOf(file.relative);
  if (file.clash == NameClash::kNone) return FolderPart(file.relative) + std::string(StemOf(name));
  return FolderPart(file.relative) + (file.clash == NameClash::kStem ? std::string(name) : Marked(name));
}

}  // namespace imgmill
