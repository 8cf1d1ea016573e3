// Each source by its digest.
#include "source_check.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "missing_outputs.h"

namespace imgmill {
namespace {

constexpr std::string_view kMembersList = "members.jsonl";

std::string_view ExtensionOf(std::string_view path) {
  const std::string_view name = NameOf(path);
  return name.substr(StemOf(name).size());
}

}  // namespace

Status SourceCheck::Look(const std::string& path, const FoundWork& work) {
  Result<SourceState> state = StateOf(work);
  // A later step may have moved it on.
  if (state && *state == SourceState::kGone && TRY(IsWhereMoved(work.key.source, work.key.content)))
    state = SourceState::kMoved;
  TellIfBad(state, path, work.key.source);
  if (state && *state == SourceState::kSeveral)
    return NameOf(path) == kMembersList ? LookAtMembers(path, work) : Status();
  return LookAtSidecar(path, work);
}

Result<bool> SourceCheck::IsWhereMoved(const std::string& source, const ContentDigest& content) {
  for (const std::string& place : TRY(work_.FindMoved(source, content))) {
    const Result<ContentDigest> now = DigestOf(place);
    if (now && *now == content) return true;
  }
  return false;
}

Status SourceCheck::LookAt(const std::string& path, const std::string& source, const ContentDigest& content) {
  if (stop_.StopRequested()) return LookInterrupted();
  TellIfBad(StateOf(source, content), path, source);
  return {};
}

void SourceCheck::TellIfBad(const Result<SourceState>& state, const std::string& path,
                            const std::string& source) {
  if (!state || *state == SourceState::kChanged || *state == SourceState::kGone) tell_(state, path, source);
}

/// Of a file that is a copy of one, which its bytes and its ending tell.
Status SourceCheck::LookAtSidecar(const std::string& path, const FoundWork& work) {
  const std::vector<FinishedWork::SourceSidecar> sidecars = TRY(work_.SidecarsOf(work));
  for (const auto& [sidecar, content] : sidecars) {
    if (content == work.row.digest && ExtensionOf(sidecar) == ExtensionOf(path))
      return LookAt(path, sidecar, content);
  }
  return {};
}

Status SourceCheck::LookAtMembers(const std::string& list, const FoundWork& work) {
  const std::optional<std::string> packed_in = TRY(work_.FindFact(work.row.digest, kPackedInFact));
  std::ifstream lines(list);
  for (std::string text; std::getline(lines, text);) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("files")) continue;
    const std::string shard = Join(ParentOf(list), PathFromPrintable(line.value("shard", "")));
    for (const nlohmann::json& file : line["files"]) {
      std::string source = PathFromPrintable(file.value("source", ""));
      const std::optional<ContentDigest> content = ContentDigest::FromHex(file.value("content", ""));
      const bool known = source.starts_with('/') || source.starts_with(std::string(kStdinArchive) + "/");
      if (!content || (!known && !packed_in)) continue;  // where it was looked for, nobody noted
      if (!known) source = Join(*packed_in, source);
      TRY(LookAt(shard, source, *content));
    }
  }
  if (lines.bad() || !lines.eof())
    return Error{Stage::kList, Code::kReadError, PrintablePath(list) + " cannot be read to its end"};
  return {};
}

}  // namespace imgmill
