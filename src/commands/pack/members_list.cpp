// A line of JSON a sample; a row an image.
#include "members_list.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/path_parts.h"
#include "base/try.h"
#include "base/utf8.h"
#include "commands/growing_file.h"
#include "commands/parquet_sink.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/tables/parquet_writer.h"

namespace imgmill {
namespace {

/// Longer texts are no captions.
constexpr size_t kLongestText = 256 * kKiB;

std::string LinesPath(const PackOptions& options) {
  return options.output + "/members.jsonl";
}
std::string TablePath(const PackOptions& options) {
  return options.output + "/members.parquet";
}
bool HasTable(const PackOptions& options) {
  return options.metadata == "parquet";
}

/// The side-car with this ending that is nearest to the image by its name: a.jpg.txt, a.txt, and that of the
/// sample.
const PackedFile* FindText(const ShardSample& sample, const std::string& image, const char* ending) {
  const std::string_view name = NameOf(image);
  const std::string stem = image.substr(0, image.size() - name.size() + StemOf(name).size());
  for (const std::string& each : {image, stem, sample.key}) {
    for (const PackedFile& file : sample.files) {
      if (file.sidecar && file.member == each + ending) return &file;
    }
  }
  return nullptr;
}

/// As readers of tables can take it: UTF-8, with U+FFFD for bytes that are none, without the last line's end.
std::string Readable(std::string_view text) {
  std::string readable;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    readable += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(length > 0 ? length : 1);
  }
  if (readable.ends_with('\n')) readable.pop_back();
  if (readable.ends_with('\r')) readable.pop_back();
  return readable;
}

class MembersTable {
 public:
  MembersTable(std::unique_ptr<GrowingFile> file, const CommandServices& services)
      : services_(services), file_(std::move(file)), rows_(Fields(), "", Into(*file_)) {}

  Status Add(const std::string& shard, const ShardSample& sample) {
    for (const PackedFile& image : sample.files) {
      if (!image.sidecar) TRY(AddImage(shard, sample, image));
    }
    return {};
  }
  Status Commit() {
    if (left_out_ > kMostNamed)
      services_.log(LogLevel::kWarning, "the texts of " + std::to_string(left_out_ - kMostNamed) +
                                            " more side-cars are missing in members.parquet, too");
    TRY(rows_.Finish({}));
    return file_->Commit();
  }

 private:
  static std::vector<ParquetField> Fields() {
    using Kind = ParquetKind;
    return {{"key"},
            {"shard"},
            {"member"},
            {"source"},
            {"content"},
            {"bytes", Kind::kInteger},
            {"width", Kind::kInteger},
            {"height", Kind::kInteger},
            {"caption", Kind::kText, /*optional=*/true},
            {"json", Kind::kText, /*optional=*/true}};
  }

  Status AddImage(const std::string& shard, const ShardSample& sample, const PackedFile& image) {
    const std::optional<std::string> caption = TRY(TextOf(FindText(sample, image.member, ".txt")));
    const std::optional<std::string> json = TRY(TextOf(FindText(sample, image.member, ".json")));
    const std::string key = PrintablePath(sample.key), member = PrintablePath(image.member),
                      source = PrintablePath(image.path), content = image.content.Hex();
    const auto cell = [](const std::optional<std::string>& text) {
      return text ? ParquetCell(std::string_view(*text)) : ParquetCell();
    };
    const ParquetCell cells[] = {key,
                                 shard,
                                 member,
                                 source,
                                 content,
                                 static_cast<int64_t>(image.bytes),
                                 int64_t{image.width},
                                 int64_t{image.height},
                                 cell(caption),
                                 cell(json)};
    return rows_.Add(cells);
  }

  /// A side-car that was changed since it was packed has no text, with a warning: the samples are whole.
  Result<std::optional<std::string>> TextOf(const PackedFile* file) {
    if (file == nullptr || file->bytes > kLongestText) return std::optional<std::string>();
    std::string text;
    buffer_.resize(kLongestText);
    const Status read = CopyContent(*file, buffer_, [&](const char* data, size_t bytes) {
      text.append(data, bytes);
      return Status();
    });
    if (!read && read.error().code == Code::kInterrupted) return read.error();
    if (!read) {
      if (++left_out_ <= kMostNamed)
        services_.log(
            LogLevel::kWarning,
            PrintablePath(file->path) + ": its text is missing in members.parquet: " + read.error().message);
      return std::optional<std::string>();
    }
    return std::optional<std::string>(Readable(text));
  }

  static constexpr uint64_t kMostNamed = 10;

  const CommandServices& services_;
  std::unique_ptr<GrowingFile> file_;
  ParquetWriter rows_;
  std::vector<char> buffer_;
  uint64_t left_out_ = 0;  ///< texts
};

class Lists final : public MembersList {
 public:
  Lists(std::unique_ptr<GrowingFile> lines, std::unique_ptr<MembersTable> table, Catalog& catalog)
      : lines_(std::move(lines)), table_(std::move(table)), catalog_(catalog) {}

  Status Add(const std::string& shard, const ShardSample& sample) override {
    if (table_) TRY(table_->Add(shard, sample));
    return lines_->Write(LineOf(shard, sample).dump() + "\n");
  }
  Status Commit() override {
    if (table_) TRY(table_->Commit());
    TRY(lines_->Commit());
    // The list has paths as they were given.
    return catalog_.PutFact(lines_->digest(), kPackedInFact, CanonicalOrEntry("."));
  }

 private:
  std::unique_ptr<GrowingFile> lines_;
  std::unique_ptr<MembersTable> table_;  ///< null for none
  Catalog& catalog_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> MembersList::Files(const PackOptions& options) {
  std::vector<std::pair<std::string, std::string>> files = {{"members", LinesPath(options)}};
  if (HasTable(options)) files.emplace_back("members_table", TablePath(options));
  return files;
}

Status MembersList::MayCreate(const PackOptions& options, const CommandServices& services) {
  for (const auto& [name, path] : Files(options))
    TRY(GrowingFile::MayCreate(path, *services.catalog, services.shared->force));
  return {};
}

Footprint MembersList::Held(const PackOptions& options) {
  return HasTable(options) ? ParquetWriter::HeldByTable() + Footprint{0, kLongestText} : Footprint{};
}

Result<std::unique_ptr<MembersList>> MembersList::Create(const PackOptions& options,
                                                         const CommandServices& services) {
  const bool force = services.shared->force;
  std::unique_ptr<GrowingFile> lines = TRY(GrowingFile::Create(LinesPath(options), *services.catalog, force));
  std::unique_ptr<MembersTable> table;
  if (HasTable(options)) {
    std::unique_ptr<GrowingFile> file =
        TRY(GrowingFile::Create(TablePath(options), *services.catalog, force));
    table = std::make_unique<MembersTable>(std::move(file), services);
  }
  return std::unique_ptr<MembersList>(
      std::make_unique<Lists>(std::move(lines), std::move(table), *services.catalog));
}

std::string MembersList::StaleTable(const PackOptions& options) {
  return !HasTable(options) && Exists(TablePath(options)) ? TablePath(options) : std::string();
}

}  // namespace imgmill
