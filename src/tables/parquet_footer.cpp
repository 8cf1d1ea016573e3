// Schema elements in depth-first order, then row groups.
#include "tables/parquet_footer.h"

#include <string_view>

#include "tables/parquet_format.h"
#include "tables/thrift_reader.h"

namespace imgmill {
namespace {

using namespace parquet;

/// Ten times the columns of the widest tables in use.
constexpr size_t kMostElements = size_t{1} << 16;

struct Element {
  std::string_view name;  ///< in the footer's bytes
  int64_t type = -1, length = 0, repetition = kRequired, children = 0;
  bool is_half = false;
};

/// Whether the LogicalType, a union, is FLOAT16: two bytes can be a decimal, too.
bool ReadIsHalf(ThriftReader& in) {
  constexpr int kFloat16 = 15;
  bool is_half = false;
  in.BeginStruct();
  while (const int field = in.NextField()) {
    is_half = is_half || field == kFloat16;
    in.Skip();
  }
  return is_half;
}

Element ReadElement(ThriftReader& in) {
  Element element;
  in.BeginStruct();
  while (const int field = in.NextField()) {
    switch (field) {
      case 1:
        element.type = in.Integer();
        break;
      case 2:
        element.length = in.Integer();
        break;
      case 3:
        element.repetition = in.Integer();
        break;
      case 4:
        element.name = in.Binary();
        break;
      case 5:
        element.children = in.Integer();
        break;
      case 10:
        element.is_half = ReadIsHalf(in);
        break;
      default:
        in.Skip();
    }
  }
  return element;
}

/// Goes down from the root, and notes the leaves.
class SchemaWalk {
 public:
  SchemaWalk(const std::vector<Element>& elements, std::vector<ParquetLeaf>& leaves)
      : elements_(elements), leaves_(leaves) {}

  bool Run() {
    if (elements_.empty()) return false;
    next_ = 1;
    for (int64_t i = 0; i < elements_[0].children; ++i) {
      if (!Visit(ParquetLeaf())) return false;
    }
    return next_ == elements_.size();
  }

 private:
  static constexpr int kDeepest = 32;

  /// @param column  the outermost name
  /// @param alone   every group on the way has this one child: not the key and value of a map, say
  bool Visit(ParquetLeaf leaf, std::string_view column = {}, bool alone = true) {
    if (next_ >= elements_.size() || leaf.depth >= kDeepest) return false;
    const Element& element = elements_[next_++];
    if (leaf.depth++ == 0) column = element.name;
    if (element.repetition != kRequired) ++leaf.definition;
    if (element.repetition == kRepeated) {
      ++leaf.repetition;
      leaf.in_list = leaf.definition;
      leaf.repeated_at = leaf.depth;
    }
    if (element.children == 0) {
      leaf.type = element.type;
      leaf.length = element.length;
      leaf.is_half = element.is_half;
      leaf.alone = alone;
      // Those that are not read have no name: few bytes could ask for many long ones.
      if (leaf.IsRead()) leaf.column = column;
      leaves_.push_back(std::move(leaf));
      return true;
    }
    alone = alone && element.children == 1;
    for (int64_t i = 0; i < element.children; ++i) {
      if (!Visit(leaf, column, alone)) return false;
    }
    return true;
  }

  const std::vector<Element>& elements_;
  std::vector<ParquetLeaf>& leaves_;
  size_t next_ = 0;
};

ParquetChunk ReadMetaData(ThriftReader& in, bool& whole) {
  ParquetChunk chunk;
  int64_t dictionary = 0;
  unsigned has = 0;
  in.BeginStruct();
  while (const int field = in.NextField()) {
    if (field < 10) has |= 1U << field;
    switch (field) {
      case 4:
        chunk.codec = in.Integer();
        break;
      case 5:
        chunk.values = in.Integer();
        break;
      case 7:
        chunk.bytes = in.Integer();
        break;
      case 9:
        chunk.offset = in.Integer();
        break;
      case 11:
        dictionary = in.Integer();
        break;
      default:
        in.Skip();
    }
  }
  constexpr unsigned kRequiredFields = 1U << 4 | 1U << 5 | 1U << 7 | 1U << 9;
  whole = whole && (has & kRequiredFields) == kRequiredFields;
  if (dictionary > 0 && dictionary < chunk.offset) chunk.offset = dictionary;
  return chunk;
}

void ReadGroup(ThriftReader& in, std::vector<ParquetLeaf>& leaves, bool& whole) {
  in.BeginStruct();
  while (const int field = in.NextField()) {
    if (field != 1) {
      in.Skip();
      continue;
    }
    const size_t count = in.BeginList();
    whole = whole && count == leaves.size();
    for (size_t i = 0; i < count && whole && in.ok(); ++i) {
      in.BeginStruct();
      while (const int part = in.NextField()) {
        if (part == 3 && leaves[i].IsRead()) {
          leaves[i].chunks.push_back(ReadMetaData(in, whole));
        } else {
          whole = whole && part != 1;  // its pages are in another file
          in.Skip();
        }
      }
    }
    if (!whole) return;
  }
}

}  // namespace

bool ParquetLeaf::IsText() const {
  return type == kByteArray && repetition == 0 && depth == 1;
}

bool ParquetLeaf::IsVector() const {
  // A repeated value, or one in a list's three levels: in a repeated group in an outer one.
  const bool is_list =
      repetition == 1 && alone && (repeated_at == depth ? depth <= 2 : depth == 3 && repeated_at == 2);
  return is_list && (type == kFloat || type == kDouble || (type == kFixedLength && length == 2 && is_half));
}

Result<ParquetFooter> ReadParquetFooter(std::span<const uint8_t> bytes) {
  ThriftReader in(bytes);
  ParquetFooter footer;
  std::vector<Element> elements;
  bool whole = true, has_schema = false;
  in.BeginStruct();
  while (const int field = whole ? in.NextField() : 0) {
    if (field == 2) {
      const size_t count = in.BeginList();
      if (count > kMostElements)
        return Error{Stage::kConfigure, Code::kUnsupported,
                     "its schema has more than " + std::to_string(kMostElements) +
                         " columns and groups; write those that are needed to a file of their own"};
      for (size_t i = 0; i < count && in.ok(); ++i) elements.push_back(ReadElement(in));
      whole = has_schema = in.ok() && SchemaWalk(elements, footer.leaves).Run();
    } else if (field == 3) {
      footer.rows = static_cast<uint64_t>(in.Integer());
    } else if (field == 4) {
      const size_t count = in.BeginList();
      for (size_t i = 0; i < count && whole && in.ok(); ++i) ReadGroup(in, footer.leaves, whole);
    } else {
      in.Skip();
    }
  }
  if (!in.ok() || !whole || !has_schema || footer.rows > uint64_t{1} << 40)
    return Error{Stage::kConfigure, Code::kMalformed, "its footer is damaged"};
  return footer;
}

}  // namespace imgmill
