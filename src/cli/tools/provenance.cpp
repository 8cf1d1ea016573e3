#include "provenance.h"

#include <filesystem>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"

namespace imgmill {

Result<SourceState> StateOf(const std::string& source, const ContentDigest& content) {
  if (source.starts_with(std::string(kStdinArchive) + "/")) return SourceState::kStdin;
  if (!source.starts_with('/')) return SourceState::kSeveral;  // a word in place of a path
  const Result<ContentDigest> now = DigestOf(source);
  if (now) return *now == content ? SourceState::kAsItWas : SourceState::kChanged;
  if (now.error().code == Code::kNotFound) return SourceState::kGone;
  return now.error();
}

Result<SourceState> StateOf(const FoundWork& work) {
  if (IsMove(work.key.fingerprint)) return SourceState::kMoved;  // what is there now is another file
  return StateOf(work.key.source, work.key.content);
}

std::string_view ToString(SourceState state) {
  switch (state) {
    case SourceState::kAsItWas:
      return "as it was";
    case SourceState::kChanged:
      return "changed since";
    case SourceState::kSeveral:
      return "several files";
    case SourceState::kStdin:
      return "read from stdin";
    case SourceState::kMoved:
      return "moved from there";
    case SourceState::kGone:
      break;
  }
  return "gone";
}

namespace {

/// The work that gave this content. Where the same images were given by another path once, as before a folder
/// was moved, that is the work on those that are there.
std::optional<FoundWork> ThatGaveContent(const std::vector<FoundWork>& found, const ContentDigest& content) {
  const FoundWork* gave = nullptr;
  for (const FoundWork& work : found) {
    if (work.row.digest != content) continue;
    if (!work.key.source.starts_with('/') || !IsGone(work.key.source)) return work;
    if (gave == nullptr) gave = &work;
  }
  return gave == nullptr ? std::nullopt : std::optional(*gave);
}

}  // namespace

Result<std::unique_ptr<ProvenanceFolder>> ProvenanceFolder::Open(const std::string& folder) {
  std::unique_ptr<ProvenanceFolder> opened(new ProvenanceFolder);
  opened->work_ = TRY(FinishedWork::Open(folder));
  opened->folder_ = folder;
  std::error_code none;
  opened->canonical_ = std::filesystem::canonical(folder, none).string();
  return opened;
}

Result<Provenance> ProvenanceFolder::Of(const std::string& relative, const std::string& path) {
  const std::vector<FoundWork> found = TRY(work_->ThatMadeAt(path, relative));
  Provenance file;
  if (found.empty()) return file;
  file.content = TRY(DigestOf(path));
  std::optional<FoundWork> made = ThatGaveContent(found, file.content);
  file.state = made ? Provenance::State::kAsWritten : Provenance::State::kChanged;
  if (made) file.work = *std::move(made);
  return file;
}

Result<std::optional<FoundWork>> ProvenanceFolder::ThatGave(const std::string& relative,
                                                            const ContentDigest& content) {
  const std::vector<FoundWork> found = TRY(work_->ThatMadeAt(folder_ + "/" + relative, relative));
  return ThatGaveContent(found, content);
}

std::optional<std::string> ProvenanceFolder::Below(const std::string& source) const {
  const std::string inside = Join(canonical_, "");
  if (canonical_.empty() || !source.starts_with(inside)) return std::nullopt;
  return source.substr(inside.size());
}

}  // namespace imgmill
