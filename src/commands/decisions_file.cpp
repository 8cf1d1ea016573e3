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

std::optional<std::string> TextIn(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

template <typename Number>
bool NumberIn(const Json& object, const char* key, Number& number) {
  const std::optional<std::string> text = TextIn(object, key);
  if (!text) return false;
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  return error == std::errc() && stop == end;
}

/// Of a move's target: it must not lead out of the folder that was named.
bool StaysBelow(const std::string& relative) {
  const std::filesystem::path path(relative);
  if (relative.empty() || path.is_absolute()) return false;
  for (const auto& part : path) {
    if (part == "..") return false;
  }
  return true;
}

std::optional<DecidedFile> FileFrom(const Json& json, const std::string& folder) {
  if (!json.is_object()) return std::nullopt;
  const std::optional<std::string> path = TextIn(json, "path"), below = TextIn(json, "below"),
                                   digest = TextIn(json, "digest");
  if (!path || path->empty() || !below || !digest) return std::nullopt;
  DecidedFile file;
  file.path = (std::filesystem::path(folder) / PathFromPrintable(*path)).string();
  file.below = PathFromPrintable(*below);
  const std::optional<ContentDigest> content = ContentDigest::FromHex(*digest);
  const bool stamped =
      NumberIn(json, "size", file.stamp.size) && NumberIn(json, "mtime_ns", file.stamp.mtime_ns) &&
      NumberIn(json, "ctime_ns", file.stamp.ctime_ns) && NumberIn(json, "inode", file.stamp.inode);
  const bool has_nul = (file.path + file.below).find('\0') != std::string::npos;
  if (!content || !stamped || has_nul || !StaysBelow(file.below)) return std::nullopt;
  file.content = *content;
  return file;
}

std::optional<DecidedGroup> GroupFrom(const Json& json, const std::string& folder) {
  const auto keep = json.find("keep"), duplicates = json.find("duplicates");
  if (keep == json.end() || duplicates == json.end() || !duplicates->is_array() || duplicates->empty())
    return std::nullopt;
  DecidedGroup group;
  std::optional<DecidedFile> kept = FileFrom(*keep, folder);
  if (!kept) return std::nullopt;
  group.keep = *std::move(kept);
  for (const Json& each : *duplicates) {
    std::optional<DecidedFile> duplicate = FileFrom(each, folder);
    if (!duplicate || duplicate->path == group.keep.path) return std::nullopt;
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
    if (top_ != "groups" || depth != 2 || event != Event::object_end) return true;
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
    if (!IsOurs()) return Malformed("it does not begin with its schema");
    if (!std::filesystem::path(folder_).is_absolute()) return Malformed("it names no folder");
    const std::optional<DecidedGroup> group = GroupFrom(json, folder_);
    if (!group) return Malformed("group " + std::to_string(number_) + " is damaged");
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
