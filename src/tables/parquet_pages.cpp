// Heads of pages, each checked against the file before its bytes are asked for.
#include "tables/parquet_pages.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/try.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "tables/decompress.h"
#include "tables/parquet_format.h"
#include "tables/thrift_reader.h"

namespace imgmill {
namespace {

using namespace parquet;

/// Longer heads, with statistics of long values, are looked at again in full.
constexpr int64_t kHeadBytes = 512, kLongestHead = int64_t{1} << 24;
constexpr int64_t kLargestPage = int64_t{1} << 30;

std::string EncodingName(int64_t encoding) {
  static constexpr const char* kNames[] = {"PLAIN",
                                           "",
                                           "PLAIN_DICTIONARY",
                                           "RLE",
                                           "BIT_PACKED",
                                           "DELTA_BINARY_PACKED",
                                           "DELTA_LENGTH_BYTE_ARRAY",
                                           "DELTA_BYTE_ARRAY",
                                           "RLE_DICTIONARY",
                                           "BYTE_STREAM_SPLIT"};
  return encoding >= 0 && encoding < std::ssize(kNames) ? kNames[encoding] : std::to_string(encoding);
}

void ReadDataHead(ThriftReader& in, ParquetPage& page) {
  in.BeginStruct();
  while (const int field = in.NextField()) {
    if (field == 1) {
      page.values = in.Integer();
    } else if (field == 2) {
      page.encoding = in.Integer();
    } else {
      in.Skip();
    }
  }
}

void ReadDataHeadV2(ThriftReader& in, ParquetPage& page) {
  in.BeginStruct();
  while (const int field = in.NextField()) {
    switch (field) {
      case 1:
        page.values = in.Integer();
        break;
      case 4:
        page.encoding = in.Integer();
        break;
      case 5:
        page.definition_bytes = in.Integer();
        break;
      case 6:
        page.repetition_bytes = in.Integer();
        break;
      case 7:
        if (!in.Boolean()) page.codec = kUncompressed;
        break;
      default:
        in.Skip();
    }
  }
}

/// @return the head's length; 0 where the bytes end early or are no head
size_t ParseHead(std::span<const uint8_t> bytes, ParquetPage& page) {
  ThriftReader in(bytes);
  in.BeginStruct();
  while (const int field = in.NextField()) {
    switch (field) {
      case 1:
        page.kind = in.Integer();
        break;
      case 2:
        page.bytes = in.Integer();
        break;
      case 3:
        page.stored = in.Integer();
        break;
      case 5:
      case 7:
        ReadDataHead(in, page);
        break;  // that of a dictionary has the same first fields
      case 8:
        ReadDataHeadV2(in, page);
        break;
      default:
        in.Skip();
    }
  }
  return in.ok() ? in.position() : 0;
}

}  // namespace

Status FileBytes::Read(int64_t offset, std::span<uint8_t> to) const {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd_, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Wrong(Code::kReadError, ErrnoText(errno));
    if (got == 0) return Wrong(Code::kTruncated, "it ends early");
    offset += got;
    to = to.subspan(static_cast<size_t>(got));
  }
  return {};
}

Error FileBytes::Wrong(Code code, const std::string& what) const {
  return {Stage::kConfigure, code, PrintablePath(path_) + ": " + what};
}

Result<ParquetPage> ParquetPages::ReadHead(int64_t at, int64_t end) {
  for (int64_t room = std::min(kHeadBytes, end - at);; room = std::min(room * 16, end - at)) {
    std::vector<uint8_t> bytes(static_cast<size_t>(room));
    TRY(file_.Read(at, bytes));
    ParquetPage page;
    page.codec = leaf_.chunks[chunk_].codec;
    if (const size_t length = ParseHead(bytes, page); length > 0) {
      page.offset = at + static_cast<int64_t>(length);
      // Of any kind: what is passed over must lead on.
      if (page.stored < 0 || page.stored > file_.size() - page.offset)
        return file_.Wrong(Code::kMalformed, "a page of column \"" + leaf_.column + "\" does not fit");
      return page;
    }
    if (room == end - at || room >= kLongestHead)
      return file_.Wrong(Code::kMalformed,
                         "the head of a page of column \"" + leaf_.column + "\" is damaged");
  }
}

Status ParquetPages::Check(const ParquetPage& page) const {
  const std::string of = " of column \"" + leaf_.column + "\"";
  const bool sound = page.bytes >= 0 && page.stored >= 0 && page.bytes <= kLargestPage &&
                     page.stored <= file_.size() - page.offset && page.values >= 0 &&
                     page.definition_bytes >= -1 && page.repetition_bytes >= -1;
  if (!sound) return file_.Wrong(Code::kMalformed, "the head of a page" + of + " is damaged");
  const std::string rewrite =
      "; write it again, by pyarrow.parquet.write_table(table, file, compression='zstd', "
      "use_dictionary=False)";
  if (!ReadsCodec(page.codec))
    return file_.Wrong(Code::kUnsupported, "its pages" + of + " are compressed by " + CodecName(page.codec) +
                                               ", which is not read (Snappy, gzip and Zstandard are)" +
                                               rewrite);
  const bool by_dictionary = page.encoding == kPlainDictionary || page.encoding == kRleDictionary;
  const bool split = page.encoding == kByteStreamSplit && leaf_.type != kByteArray;
  if (page.encoding != kPlain && !by_dictionary && !split)
    return file_.Wrong(Code::kUnsupported, "values" + of + " are encoded as " + EncodingName(page.encoding) +
                                               ", which is not read" + rewrite);
  return {};
}

Result<std::optional<ParquetPage>> ParquetPages::Next() {
  while (chunk_ < leaf_.chunks.size()) {
    const ParquetChunk& chunk = leaf_.chunks[chunk_];
    if (at_ < 0) {
      if (chunk.offset < 4 || chunk.bytes < 0 || chunk.offset > file_.size() - chunk.bytes)
        return file_.Wrong(Code::kMalformed, "column \"" + leaf_.column + "\" lies outside of the file");
      at_ = chunk.offset;
      left_ = chunk.values;
    }
    const int64_t end = chunk.offset + chunk.bytes;
    if (left_ <= 0 || at_ >= end) {
      if (left_ > 0) return file_.Wrong(Code::kMalformed, "column \"" + leaf_.column + "\" ends early");
      ++chunk_;
      at_ = -1;
      continue;
    }
    ParquetPage page = TRY(ReadHead(at_, end));
    at_ = page.offset + page.stored;
    const bool is_data = page.kind == kDataPage || page.kind == kDataPageV2;
    if (!is_data && page.kind != kDictionaryPage) continue;
    TRY(Check(page));
    if (is_data) left_ -= page.values;
    return std::optional<ParquetPage>(page);
  }
  return std::optional<ParquetPage>();
}

}  // namespace imgmill
