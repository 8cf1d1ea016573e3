// Texts as the numbers that CLIP's text tower takes: byte-pair encoding by a vocabulary file of the user's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// A text's tokens: the start, the text, the end.
struct ClipTokens {
  std::vector<int32_t> ids;
  bool cut = false;  ///< the text was longer than the tower can see
};

/// CLIP's tokenizer (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016, on
/// bytes). Token i is a byte for i < 256, in the order of bytes that print and then those that do not; the
/// same byte at the end of a word up to 512; then what each line of the vocabulary joins; then start and end.
class ClipTokenizer {
 public:
  /// Bytes of memory that CLIP's own vocabulary takes, outside pools.
  static constexpr size_t kBytes = size_t{12} << 20;

  /// Reads a line for each join, "left right", behind a first line that says nothing; as it is, or by gzip.
  /// @param tokens  that the tower knows. Of a file with more than 49,408 tokens (OpenAI's has 262,145 lines)
  ///   the first ones count, as CLIP has it; other towers need a file of just their length.
  /// Errors: kNotFound, kPermission, kReadError; kMalformed for what is no such file, naming the line; kUsage
  /// if it is another tower's.
  static Result<ClipTokenizer> Read(const std::string& path, int tokens);

  /// At most `context` tokens, of which the last is always the end. kUsage for what is not UTF-8.
  Result<ClipTokens> Encode(std::string_view text, int context) const;

 private:
  struct Join {
    int32_t rank = 0;
    int32_t whole = 0;
  };
  static uint64_t PairOf(int32_t left, int32_t right) {
    return static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  }

  ClipTokenizer();
  /// Takes one line of the file. @return what is wrong with it, in words; empty if nothing is
  std::string Learn(std::string_view line);
  void EncodeWord(std::string_view bytes, std::vector<int32_t>& ids) const;

  std::unordered_map<std::string, int32_t> symbols_;  ///< spelt as the file has them
  std::unordered_map<uint64_t, Join> joins_;
  int32_t bytes_[256] = {};  ///< token of each byte
  int32_t start_ = 0, end_ = 0;
};

}  // namespace imgmill
