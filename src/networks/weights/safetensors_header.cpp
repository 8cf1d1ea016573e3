// A strict parser for the one shape of JSON that a safetensors header has:
// {"name": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}, "__metadata__": {"key": "text"}}
#include "networks/weights/safetensors_header.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "imgmill/base/path_text.h"
#include "networks/weights/weight_file.h"

namespace imgmill {
namespace {

constexpr struct {
  std::string_view name;
  ElementType type;
} kTypes[] = {{"F64", ElementType::kFloat64}, {"F32", ElementType::kFloat32},
              {"F16", ElementType::kFloat16}, {"BF16", ElementType::kBFloat16},
              {"I64", ElementType::kInt64},   {"I32", ElementType::kInt32},
              {"I16", ElementType::kInt16},   {"I8", ElementType::kInt8},
              {"U8", ElementType::kUInt8},    {"BOOL", ElementType::kBool}};

/// Far more than networks have. Each takes some 200 bytes, and few in the file.
constexpr size_t kMostTensors = size_t{1} << 17, kMostNotes = size_t{1} << 12;

void AppendUtf8(std::string& text, uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0 | point >> 6);
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0 | point >> 12);
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | point >> 18);
    text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (point & 0x3F));
  }
}

/// Each method consumes what it names, or notes the first failure and returns false.
class Parser {
 public:
  explicit Parser(std::string_view json) : json_(json) {}

  bool Header(SafetensorsHeader& header) {
    std::set<std::string> names;
    const bool parsed = Members([&](const std::string& name) {
      if (!names.insert(name).second) return Fail("the name \"" + name + "\" appears twice");
      if (name == "__metadata__") return Metadata(header);
      if (names.size() > kMostTensors) return Fail("more than " + std::to_string(kMostTensors) + " tensors");
      header.entries.emplace_back().name = name;
      return Entry(header.entries.back());
    });
    if (!parsed) return false;
    Space();
    return at_ == json_.size() || Fail("text after the end of the object");
  }

  Error error() const {
    if (!unsupported_.empty()) return WeightError(unsupported_);
    return WeightError("the safetensors header is damaged at byte " + std::to_string(failed_at_) + ": " +
                       failure_);
  }

 private:
  bool Fail(std::string what) {
    if (failure_.empty()) {
      failure_ = std::move(what);
      failed_at_ = at_;
    }
    return false;
  }

  void Space() {
    while (at_ < json_.size() &&
           (json_[at_] == ' ' || json_[at_] == '\t' || json_[at_] == '\n' || json_[at_] == '\r')) {
      ++at_;
    }
  }

  bool Take(char wanted) {
    Space();
    if (at_ >= json_.size() || json_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool Expect(char wanted) { return Take(wanted) || Fail(std::string("expected '") + wanted + "'"); }

  /// {"key": VALUE, ...}, where `value` consumes VALUE.
  template <typename Value>
  bool Members(Value value) {
    if (!Expect('{')) return false;
    if (Take('}')) return true;
    do {
      std::string key;
      if (!Text(key) || !Expect(':') || !value(key)) return false;
    } while (Take(','));
    return Expect('}');
  }

  bool Metadata(SafetensorsHeader& header) {
    return Members([&](const std::string& key) {
      if (header.metadata.size() == kMostNotes)
        return Fail("more than " + std::to_string(kMostNotes) + " keys of __metadata__");
      const auto [entry, added] = header.metadata.emplace(key, "");
      return added ? Text(entry->second) : Fail("the key \"" + key + "\" appears twice");
    });
  }

  bool Entry(SafetensorsEntry& entry) {
    bool has_type = false, has_shape = false, has_offsets = false;
    const bool parsed = Members([&](const std::string& key) {
      if (key == "dtype" && !has_type) {
        has_type = true;
        return Type(entry);
      }
      if (key == "shape" && !has_shape) {
        has_shape = true;
        return Shape(entry.shape);
      }
      if (key == "data_offsets" && !has_offsets) {
        has_offsets = true;
        std::vector<uint64_t> offsets;
        if (!Numbers(offsets)) return false;
        if (offsets.size() != 2) return Fail("data_offsets are two numbers");
        entry.begin = offsets[0];
        entry.end = offsets[1];
        return true;
      }
      return Fail("the key \"" + key + "\" is unknown or appears twice");
    });
    return parsed && ((has_type && has_shape && has_offsets) ||
                      Fail("\"" + entry.name + "\" lacks its dtype, shape or data_offsets"));
  }

  bool Type(SafetensorsEntry& entry) {
    std::string name;
    if (!Text(name)) return false;
    for (const auto& known : kTypes) {
      if (known.name == name) return entry.type = known.type, true;
    }
    unsupported_ = "its tensor " + PrintablePath(entry.name) + " has elements of type " +
                   PrintablePath(name) + ", which is not supported: save it as float32, float16 or bfloat16";
    return Fail("a type");
  }

  bool Shape(std::vector<int64_t>& shape) {
    std::vector<uint64_t> sizes;
    if (!Numbers(sizes)) return false;
    for (const uint64_t size : sizes) {
      if (size > uint64_t{1} << 40) return Fail("a dimension of " + std::to_string(size));
      shape.push_back(static_cast<int64_t>(size));
    }
    return CountElements(shape) >= 0 || Fail("a shape of more than 2^40 elements");
  }

  bool Numbers(std::vector<uint64_t>& numbers) {
    if (!Expect('[')) return false;
    if (Take(']')) return true;
    do {
      uint64_t number = 0;
      if (!Number(number)) return false;
      numbers.push_back(number);
      if (numbers.size() > 16) return Fail("more than 16 numbers in a list");
    } while (Take(','));
    return Expect(']');
  }

  /// A whole number from 0 to 2^63 - 1: no sign, no leading zero, no fraction.
  bool Number(uint64_t& number) {
    Space();
    const size_t first = at_;
    while (at_ < json_.size() && json_[at_] >= '0' && json_[at_] <= '9') {
      const uint64_t digit = static_cast<uint64_t>(json_[at_] - '0');
      if (number > (static_cast<uint64_t>(INT64_MAX) - digit) / 10) return Fail("a number beyond 2^63");
      number = number * 10 + digit;
      ++at_;
    }
    if (at_ == first) return Fail("expected a whole number, 0 or more");
    if (json_[first] == '0' && at_ - first > 1) return Fail("a number with a leading zero");
    return true;
  }

  bool Text(std::string& text) {
    if (!Expect('"')) return false;
    while (at_ < json_.size()) {
      const char c = json_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return Fail("a control character in a string");
      ++at_;
      if (c != '\\') {
        text += c;
      } else if (!Escape(text)) {
        return false;
      }
    }
    return Fail("a string without its closing quote");
  }

  bool Escape(std::string& text) {
    if (at_ >= json_.size()) return Fail("a string without its closing quote");
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = json_[at_++];
    if (const size_t i = kLetters.find(letter); i != std::string_view::npos)
      return text += kMeanings[i], true;
    uint32_t point = 0;
    if (letter != 'u' || !Hex4(point)) return Fail("an unknown escape in a string");
    if (point >= 0xD800 && point < 0xDC00) {  // the first half of a pair
      uint32_t low = 0;
      if (json_.substr(at_, 2) != "\\u") return Fail("half a surrogate pair");
      at_ += 2;
      if (!Hex4(low) || low < 0xDC00 || low >= 0xE000) return Fail("half a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      return Fail("half a surrogate pair");
    }
    AppendUtf8(text, point);
    return true;
  }

  bool Hex4(uint32_t& value) {
    if (json_.size() - at_ < 4) return false;
    for (int i = 0; i < 4; ++i) {
      const char c = json_[at_++];
      const char* digits = "0123456789abcdef";
      const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
      const size_t digit = std::string_view(digits).find(lower);
      if (digit == std::string_view::npos) return false;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    return true;
  }

  std::string_view json_;
  size_t at_ = 0;
  std::string failure_;
  size_t failed_at_ = 0;
  std::string unsupported_;  ///< a type that is well written, and not known
};

}  // namespace

Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json, uint64_t data_bytes) {
  SafetensorsHeader header;
  Parser parser(json);
  if (!parser.Header(header)) return parser.error();
  std::vector<SafetensorsEntry>& entries = header.entries;

  for (const SafetensorsEntry& entry : entries) {
    const uint64_t bytes = static_cast<uint64_t>(CountElements(entry.shape)) * ElementBytes(entry.type);
    if (entry.begin > entry.end || entry.end - entry.begin != bytes) {
      return WeightError("tensor \"" + entry.name + "\" has " + std::to_string(bytes) +
                         " bytes by its shape, but its offsets are " + std::to_string(entry.begin) + " to " +
                         std::to_string(entry.end));
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != covered) {
      return WeightError("tensor \"" + entry.name + "\" " +
                         (entry.begin < covered ? "overlaps another one" : "leaves a gap before it"));
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    return WeightError("the tensors take " + std::to_string(covered) + " bytes, the file has " +
                       std::to_string(data_bytes) + (covered > data_bytes ? ": it is cut short" : ""));
  }
  return header;
}

}  // namespace imgmill
