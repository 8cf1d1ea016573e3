// Line by line, so that a list of any length takes no memory but for a hash of each source of this run.
#include "earlier_outputs.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

/// Four paths of 4096 bytes, each written as "\\xHH", and the numbers.
constexpr size_t kLongestLine = size_t{96} << 10;

uint64_t HashOf(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

std::string BeginOfLine(const ManifestKind& kind) {
  return "{\"" + std::string(kind.field) + "\":";
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Reads a line at a time, and none that is longer than a line can be.
class Lines {
 public:
  explicit Lines(std::FILE* file) : file_(file), buffer_(kLongestLine + 2, '\0') {}
  /// False at the end, on a read error, and at what is no whole line: see `whole`.
  bool Next(std::string_view& text) {
    if (std::fgets(buffer_.data(), static_cast<int>(buffer_.size()), file_) == nullptr) return false;
    ++number_;
    const size_t length = std::char_traits<char>::length(buffer_.data());
    whole_ = length > 0 && buffer_[length - 1] == '\n';
    text = std::string_view(buffer_.data(), whole_ ? length - 1 : length);
    return whole_;
  }
  bool whole() const { return whole_; }
  uint64_t number() const { return number_; }

 private:
  std::FILE* file_;
  std::string buffer_;
  uint64_t number_ = 0;
  bool whole_ = true;
};

}  // namespace

/// What is asked of a line; paths are as PrintablePath writes them.
struct EarlierOutputs::Line {
  std::string output;
  std::string source;
  std::string other;
  std::vector<std::string> others;
};

EarlierOutputs::EarlierOutputs(const ManifestKind& kind, std::string list)
    : kind_(kind), list_(std::move(list)), folder_(list_.substr(0, list_.rfind('/') + 1)) {}

bool EarlierOutputs::Parse(std::string_view text, Line& line) const {
  if (!text.starts_with(BeginOfLine(kind_))) return false;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto take = [&](std::string_view name, std::string& value, bool needed) {
    const auto found = json.find(name);
    if (found == json.end()) return !needed;
    if (found->is_string()) value = found->get<std::string>();
    return found->is_string();
  };
  if (const auto found = json.find(kind_.others_field); found != json.end() && found->is_array()) {
    for (const nlohmann::json& each : *found) {
      const auto path = each.is_object() ? each.find("tile") : each.end();
      if (path != each.end() && path->is_string()) line.others.push_back(path->get<std::string>());
    }
  }
  return take(kind_.field, line.output, true) && take("source", line.source, true) &&
         (kind_.other_field.empty() || take(kind_.other_field, line.other, false));
}

/// "photo_00512_00000.png" -> "photo_", of two numbers: what all outputs of its source begin with.
std::string_view EarlierOutputs::PrefixOf(std::string_view output) const {
  size_t end = output.size();
  for (int i = 0; i < kind_.numbers && end != std::string_view::npos; ++i)
    end = end == 0 ? std::string_view::npos : output.rfind('_', end - 1);
  return end == std::string_view::npos ? output : output.substr(0, end + 1);
}

/// A file that is not there has none.
Status EarlierOutputs::ForEachLine(
    const std::function<Status(std::string_view text, const Line& line)>& each) const {
  const auto advice = [&](const std::string& why) {
    return PrintablePath(list_) + why +
           " (move it away, or use --force to replace it, or choose another output folder)";
  };
  const std::string named = ", the list of earlier " + std::string(kind_.noun) + ", ";
  const File file(std::fopen(list_.c_str(), "rbe"), &std::fclose);
  if (!file && errno == ENOENT) return {};
  const auto unreadable = [&](int error) {
    const Error told = ErrnoError(Stage::kWrite, error, "");
    return Error{Stage::kWrite, told.code, advice(named + "cannot be read: " + told.message)};
  };
  if (!file) return unreadable(errno);
  Lines lines(file.get());
  std::string_view text;
  Line line;
  bool more = lines.Next(text);
  while (more) {
    line = {};
    if (!Parse(text, line)) break;
    TRY(each(text, line));
    more = lines.Next(text);
  }
  if (std::ferror(file.get()) != 0) return unreadable(errno == 0 ? EIO : errno);
  if (!more && lines.whole()) return {};
  if (lines.number() <= 1 && !text.starts_with(BeginOfLine(kind_)))
    return Error{Stage::kWrite, Code::kConflict, advice(" is not a list of " + std::string(kind_.noun))};
  return Error{Stage::kWrite, Code::kMalformed,
               advice(named + "is damaged at line " + std::to_string(lines.number()))};
}

Status EarlierOutputs::Check() const {
  return ForEachLine([](std::string_view, const Line&) { return Status{}; });
}

void EarlierOutputs::Replace(std::string_view source, std::string_view prefix) {
  sources_.push_back(HashOf(PrintablePath(std::string(source))));
  prefixes_.push_back(HashOf(PrintablePath(std::string(prefix))));
}

void EarlierOutputs::Failed(std::string_view source) {
  failed_.push_back(HashOf(PrintablePath(std::string(source))));
}

bool EarlierOutputs::Replaced(std::string_view source, std::string_view output) const {
  return std::binary_search(sources_.begin(), sources_.end(), HashOf(source)) ||
         std::binary_search(prefixes_.begin(), prefixes_.end(), HashOf(PrefixOf(output)));
}

bool EarlierOutputs::IsThere(const std::string& output) const {
  return Exists(folder_ + PathFromPrintable(output));
}

Result<KeptOutputs> EarlierOutputs::Copy(const std::function<Status(std::string_view)>& put) {
  std::sort(sources_.begin(), sources_.end());
  std::sort(prefixes_.begin(), prefixes_.end());
  std::sort(failed_.begin(), failed_.end());
  KeptOutputs kept;
  std::string last_source;
  const Status read = ForEachLine([&](std::string_view text, const Line& line) -> Status {
    if (Replaced(line.source, line.output) || !IsThere(line.output)) return {};
    if (!line.other.empty() && !IsThere(line.other)) return {};
    for (const std::string& other : line.others) {
      if (!IsThere(other)) return {};
    }
    const bool failed = std::binary_search(failed_.begin(), failed_.end(), HashOf(line.source));
    ++(failed ? kept.failed_outputs : kept.outputs);
    if (kept.outputs + kept.failed_outputs == 1 || line.source != last_source)  // a source's stand together
      ++(failed ? kept.failed_sources : kept.sources);
    last_source = line.source;
    return put(text);
  });
  return read ? Result<KeptOutputs>(kept) : read.error();
}

}  // namespace imgmill
