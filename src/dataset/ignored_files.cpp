// Knows pictures of other programs by the ends of their names.
#include "imgmill/dataset/ignored_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/path_parts.h"

namespace imgmill {
namespace {

struct KindNames {
  UnreadKind kind;
  std::string_view extensions;  ///< each with a space on both sides
};

constexpr std::array<KindNames, 3> kKinds = {
    {{UnreadKind::kCameraRaw,
      " .3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .kdc .mef .mrw .nef .nrw .orf .pef .raf .rw2 .rwl "
      ".sr2 .srf .srw .x3f "},
     {UnreadKind::kPhotoshop, " .psb .psd "},
     {UnreadKind::kOther,
      " .ai .bpg .cdr .clip .dcm .dpx .emf .eps .fits .flif .icns .indd .jng .jxr .kra .ora .pcx .pict .svg "
      ".svgz .wdp .wmf .xcf "}}};

std::optional<UnreadKind> KindOf(const std::string& extension) {
  const std::string word = " " + extension + " ";
  for (const KindNames& names : kKinds) {
    if (names.extensions.find(word) != std::string_view::npos) return names.kind;
  }
  return std::nullopt;
}

}  // namespace

void IgnoredFiles::AddByName(const std::string& path) {
  ++files_;
  const std::string_view name = NameOf(path);
  std::string extension(name.substr(StemOf(name).size()));
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (extension.empty()) return;
  const std::optional<UnreadKind> kind = KindOf(extension);
  if (!kind) return;
  UnreadPictures& pictures = pictures_[extension];
  pictures.kind = *kind;
  if (pictures.files++ == 0 || path < pictures.first) pictures.first = path;
}

void IgnoredFiles::Add(const IgnoredFiles& others) {
  files_ += others.files_;
  for (const auto& [extension, theirs] : others.pictures_) {
    UnreadPictures& ours = pictures_[extension];
    const bool theirs_first = ours.files == 0 || theirs.first < ours.first;
    ours = {theirs.kind, ours.files + theirs.files, theirs_first ? theirs.first : ours.first};
  }
}

}  // namespace imgmill
