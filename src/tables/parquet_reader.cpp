// The file, and rows out of the pages of a column.
#include "imgmill/tables/parquet_reader.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "tables/open_table.h"
#include "tables/parquet_format.h"
#include "tables/parquet_values.h"

namespace imgmill {
namespace {

using namespace parquet;

/// That of ten thousand row groups and more. It is read before anything is leased.
constexpr int64_t kLargestFooter = int64_t{1} << 24;
constexpr size_t kLongestVector = size_t{1} << 20;  ///< as vectors are kept

class Column final : public ParquetColumn {
 public:
  Column(const FileBytes& file, const ParquetLeaf& leaf, const ParquetRoom& room)
      : file_(file), leaf_(leaf), pages_(file, leaf), values_(file, leaf, room) {}

  Status NextText(std::string& text) override {
    const bool there = TRY(NextLevels());
    if (!there) return EndsEarly();
    text.clear();
    return definition_ == leaf_.definition ? values_.NextText(text) : Status();
  }

  Status NextVector(std::vector<float>& vector) override {
    vector.clear();
    const bool there = TRY(std::exchange(begun_, false) ? Result<bool>(true) : NextLevels());
    if (!there || repetition_ != 0) return EndsEarly();
    do {
      // Each place but the first of a row with no list, or an empty one, is an element: of other ones a run
      // of a few bytes may claim any number.
      if (definition_ >= leaf_.in_list) {
        TRY(AddElement(vector));
      } else if (repetition_ != 0) {
        return file_.Wrong(Code::kMalformed, "column \"" + leaf_.column + "\" has an element in no list");
      }
      const bool more = TRY(NextLevels());
      if (!more) return {};
    } while (repetition_ != 0);
    begun_ = true;
    return {};
  }

 private:
  Status AddElement(std::vector<float>& vector) {
    if (vector.size() == kLongestVector)
      return file_.Wrong(Code::kUnsupported, "column \"" + leaf_.column + "\" has a vector of more than " +
                                                 std::to_string(kLongestVector) + " numbers");
    vector.push_back(std::numeric_limits<float>::quiet_NaN());
    return definition_ == leaf_.definition ? values_.NextNumber(vector.back()) : Status();
  }
  Result<bool> NextLevels() {
    while (values_.left() <= 0) {
      const std::optional<ParquetPage> page = TRY(pages_.Next());
      if (!page) return false;
      TRY(values_.Load(*page));
    }
    TRY(values_.NextLevels(repetition_, definition_));
    return true;
  }
  Error EndsEarly() const {
    return file_.Wrong(Code::kMalformed, "column \"" + leaf_.column + "\" has fewer rows than the file");
  }

  const FileBytes& file_;
  const ParquetLeaf& leaf_;
  ParquetPages pages_;
  ParquetValues values_;
  uint32_t repetition_ = 0, definition_ = 0;
  bool begun_ = false;  ///< the levels are those of the next row's first place
};

class File final : public ParquetFile {
 public:
  File(UniqueFd fd, int64_t size, const std::string& path)
      : fd_(std::move(fd)), bytes_(fd_.get(), size, path) {}

  Status ReadFooter() {
    constexpr int64_t kTail = 8;
    uint8_t head[4], tail[kTail];
    const Error none = bytes_.Wrong(Code::kMalformed, "it is no Parquet file");
    if (bytes_.size() < kTail + 4) return none;
    TRY(bytes_.Read(0, head));
    TRY(bytes_.Read(bytes_.size() - kTail, tail));
    if (std::memcmp(tail + 4, "PARE", 4) == 0)
      return bytes_.Wrong(Code::kUnsupported, "it is encrypted, which is not read");
    if (std::memcmp(head, kMagic, 4) != 0 || std::memcmp(tail + 4, kMagic, 4) != 0) return none;
    uint32_t length = 0;
    std::memcpy(&length, tail, sizeof length);
    if (length > bytes_.size() - kTail - 4) return bytes_.Wrong(Code::kMalformed, "its footer is damaged");
    if (length > kLargestFooter)
      return bytes_.Wrong(Code::kUnsupported, "its footer has " + FormatByteSize(length) + ", and at most " +
                                                  FormatByteSize(kLargestFooter) +
                                                  " are read; write it again, in larger row groups");
    std::vector<uint8_t> footer(length);
    TRY(bytes_.Read(bytes_.size() - kTail - length, footer));
    Result<ParquetFooter> read = ReadParquetFooter(footer);
    if (!read) return bytes_.Wrong(read.error().code, read.error().message);
    footer_ = *std::move(read);
    return {};
  }

  uint64_t rows() const override { return footer_.rows; }
  std::vector<std::string> texts() const override { return Names(&ParquetLeaf::IsText); }
  std::vector<std::string> vectors() const override { return Names(&ParquetLeaf::IsVector); }

  Result<Footprint> Needs(const std::string& column) override {
    const ParquetLeaf* leaf = TRY(Find(column));
    const ParquetRoom room = TRY(RoomOf(*leaf));
    return Footprint{room.bytes(), 64 * 1024};
  }

  Result<std::unique_ptr<ParquetColumn>> Read(const std::string& column) override {
    const ParquetLeaf* leaf = TRY(Find(column));
    const ParquetRoom room = TRY(RoomOf(*leaf));
    return std::unique_ptr<ParquetColumn>(std::make_unique<Column>(bytes_, *leaf, room));
  }

 private:
  std::vector<std::string> Names(bool (ParquetLeaf::*is)() const) const {
    std::vector<std::string> names;
    for (const ParquetLeaf& leaf : footer_.leaves) {
      if ((leaf.*is)()) names.push_back(leaf.column);
    }
    return names;
  }

  Result<const ParquetLeaf*> Find(const std::string& column) const {
    for (const ParquetLeaf& leaf : footer_.leaves) {
      if (leaf.IsRead() && leaf.column == column) return &leaf;
    }
    return bytes_.Wrong(Code::kUsage,
                        "it has no column \"" + PrintablePath(column) + "\" of texts or vectors");
  }

  Result<ParquetRoom> RoomOf(const ParquetLeaf& leaf) const {
    ParquetRoom room;
    ParquetPages pages(bytes_, leaf);
    while (true) {
      const std::optional<ParquetPage> page = TRY(pages.Next());
      if (!page) return room;
      const auto bytes = static_cast<size_t>(page->bytes);
      if (page->codec != kUncompressed)
        room.stored = std::max(room.stored, static_cast<size_t>(page->stored));
      if (page->kind != kDictionaryPage) {
        room.page = std::max(room.page, bytes);
        continue;
      }
      room.dictionary = std::max(room.dictionary, bytes);
      // A text takes four bytes at least.
      if (leaf.IsText())
        room.entries = std::max(room.entries, std::min(static_cast<size_t>(page->values), bytes / 4));
    }
  }

  const UniqueFd fd_;
  const FileBytes bytes_;
  ParquetFooter footer_;
};

}  // namespace

Result<std::unique_ptr<ParquetFile>> ParquetFile::Open(const std::string& path) {
  OpenedTable table = TRY(OpenTable(path));
  auto file = std::make_unique<File>(std::move(table.fd), table.bytes, path);
  TRY(file->ReadFooter());
  return std::unique_ptr<ParquetFile>(std::move(file));
}

}  // namespace imgmill
