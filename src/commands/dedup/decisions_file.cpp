// The JSON parser hands over each group as it ends, and forgets it.
#include "decisions_file.h"

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

using Json = nlohmann::json;

constexpr char kSchema[] = "imgmill-decisions/1";

Error Malformed(const std::string& what) {
  return {Stage::kConfigure, Code::kMalformed,
          what + " (wanted are decisions as a page of imgmill dedup --html exports them)"};
}

std::string Quoted(const std::string& text) {
  return "\"" + PrintablePath(text) + "\"";
}

/// What is wrong with a file or a group, as Malformed puts it.
Error Wrong(const std::string& what) {
  return {Stage::kConfigure, Code::kMalformed, what};
}

Result<std::string> TextIn(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return Wrong(std::string("it has no \"") + key + "\"");
  if (!found->is_string()) return Wrong(std::string("its \"") + key + "\" is no text in quotes");
  return found->get<std::string>();
}

template <typename Number>
Status NumberIn(const Json& object, const char* key, Number& number) {
  const std::string text = TRY(TextIn(object, key));
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return {};
  return Wrong(std::string("its \"") + key + "\" is no whole number: " + Quoted(text));
}

/// A path as PrintablePath has written it.
Result<std::string> PathIn(const Json& object, const char* key) {
  const std::string text = TRY(TextIn(object, key));
  std::string path = PathFromPrintable(text);
  if (path.empty()) return Wrong(std::string("its \"") + key + "\" is empty");
  if (path.find('\0') == std::string::npos) return path;
  return Wrong(std::string("its \"") + key + "\" holds a NUL byte: " + Quoted(path));
}

/// Of a move's target: it must not lead out of the folder that was named.
Status StaysBelow(const std::string& relative) {
  const std::filesystem::path path(relative);
  bool leaves = path.is_absolute();
  for (const auto& part : path) leaves = leaves || part == "..";
  if (!leaves) return {};
  return Wrong("its \"below\" leads out of the folder of --move-to: " + Quoted(relative));
}

Result<DecidedFile> FileFrom(const Json& json, const std::string& folder) {
  if (!json.is_object()) return Wrong("it is no object");
  DecidedFile file;
  const std::string path = TRY(PathIn(json, "path"));
  file.path = (std::filesystem::path(folder) / path).string();
  std::string below = TRY(PathIn(json, "below"));
  TRY(StaysBelow(below));
  file.below = std::move(below);
  TRY(NumberIn(json, "size", file.stamp.size));
  TRY(NumberIn(json, "mtime_ns", file.stamp.mtime_ns));
  TRY(NumberIn(json, "ctime_ns", file.stamp.ctime_ns));
  TRY(NumberIn(json, "inode", file.stamp.inode));
  const std::string digest = TRY(TextIn(json, "digest"));
  const std::optional<ContentDigest> content = ContentDigest::FromHex(digest);
  if (!content) return Wrong("its \"digest\" is not 32 hex digits: " + Quoted(digest));
  file.content = *content;
  return file;
}

Result<DecidedGroup> GroupFrom(const Json& json, const std::string& folder) {
  if (!json.is_object()) return Wrong("it is no object");
  const auto keep = json.find("keep"), duplicates = json.find("duplicates");
  if (keep == json.end()) return Wrong("it has no \"keep\"");
  if (duplicates == json.end()) return Wrong("it has no \"duplicates\"");
  if (!duplicates->is_array() || duplicates->empty())
    return Wrong("its \"duplicates\" must be a non-empty array");
  DecidedGroup group;
  Result<DecidedFile> kept = FileFrom(*keep, folder);
  if (!kept) return Wrong("keep: " + kept.error().message);
  group.keep = *std::move(kept);
  for (const Json& each : *duplicates) {
    const std::string named = "duplicate " + std::to_string(group.duplicates.size() + 1);
    Result<DecidedFile> duplicate = FileFrom(each, folder);
    if (!duplicate) return Wrong(named + ": " + duplicate.error().message);
    if (duplicate->path == group.keep.path)
      return Wrong(named + " is the image that stays: " + Quoted(duplicate->path));
    group.duplicates.push_back(*std::move(duplicate));
  }
  return group;
}

/// What the parser tells of: the schema and the folder come before the groups.
class Reading {
 public:
  explicit Reading(const std::function<Status(const DecidedGroup&)>& each) : each_(each) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (!status_) return false;
    if (depth == 1 && event == Event::key) top_ = parsed.get<std::string>();
    if (depth == 1 && event == Event::value && parsed.is_string()) {
      if (top_ == "schema") schema_ = parsed.get<std::string>();
      if (top_ == "folder") folder_ = PathFromPrintable(parsed.get<std::string>());
    }
    if (top_ == "groups" && depth == 1 && event == Event::array_start) has_groups_ = true;
    const bool ends = event == Event::object_end || event == Event::array_end || event == Event::value;
    if (top_ != "groups" || depth != 2 || !ends) return true;
    status_ = Take(parsed);
    return false;
  }

  Status End(bool parsed) const {
    if (!status_) return status_;
    if (!parsed) return Malformed("it is damaged, or no JSON");
    if (IsOurs() && has_groups_) return {};
    return Malformed(schema_.empty() ? "it names no schema"
                                     : "its schema is \"" + PrintablePath(schema_) + "\"");
  }

 private:
  bool IsOurs() const { return schema_ == kSchema; }

  Status Take(const Json& json) {
    ++number_;
    if (!IsOurs()) return Malformed("it does not begin with \"schema\": \"" + std::string(kSchema) + "\"");
    if (folder_.empty()) return Malformed("no \"folder\" stands before its groups");
    if (!std::filesystem::path(folder_).is_absolute())
      return Malformed("its \"folder\" is not absolute: " + Quoted(folder_));
    const Result<DecidedGroup> group = GroupFrom(json, folder_);
    if (!group) return Malformed("group " + std::to_string(number_) + ": " + group.error().message);
    return each_(*group);
  }

  const std::function<Status(const DecidedGroup&)>& each_;
  std::string top_, schema_, folder_;
  bool has_groups_ = false;
  uint64_t number_ = 0;
  Status status_;
};

}  // namespace

nlohmann::ordered_json DecidedFile::Identity() const {
  return {{"below", PrintablePath(below)},
          {"size", std::to_string(stamp.size)},
          {"mtime_ns", std::to_string(stamp.mtime_ns)},
          {"ctime_ns", std::to_string(stamp.ctime_ns)},
          {"inode", std::to_string(stamp.inode)},
          {"digest", content.Hex()}};
}

Status ReadDecisions(const std::string& path, const std::function<Status(const DecidedGroup&)>& each) {
  if (std::error_code none; std::filesystem::is_directory(path, none))
    return ErrnoError(Stage::kConfigure, EISDIR, "it cannot be read");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoError(Stage::kConfigure, errno, "it cannot be read");
  Reading reading(each);
  const Json parsed = Json::parse(
      file, [&](int depth, Json::parse_event_t event, Json& json) { return reading(depth, event, json); },
      /*allow_exceptions=*/false);
  if (file.bad()) return ErrnoError(Stage::kConfigure, EIO, "it cannot be read");
  return reading.End(!parsed.is_discarded());
}

}  // namespace imgmill
