#include "provenance.h"

#include <algorithm>
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
  const auto made = std::find_if(found.begin(), found.end(),
                                 [&](const FoundWork& work) { return work.row.digest == file.content; });
  file.state = made == found.end() ? Provenance::State::kChanged : Provenance::State::kAsWritten;
  if (made != found.end()) file.work = *made;
  return file;
}

Result<std::optional<FoundWork>> ProvenanceFolder::ThatGave(const std::string& relative,
                                                            const ContentDigest& content) {
  const std::vector<FoundWork> found = TRY(work_->ThatMadeAt(folder_ + "/" + relative, relative));
  for (const FoundWork& work : found) {
    if (work.row.digest == content) return std::optional(work);
  }
  return std::optional<FoundWork>();
}

std::optional<std::string> ProvenanceFolder::Below(const std::string& source) const {
  const std::string inside = Join(canonical_, "");
  if (canonical_.empty() || !source.starts_with(inside)) return std::nullopt;
  return source.substr(inside.size());
}

}  // namespace imgmill
