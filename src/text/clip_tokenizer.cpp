// The vocabulary's lines as a table of joins, words by the rule that CLIP's were trained with, and joining.
#include "imgmill/text/clip_tokenizer.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/try.h"
#include "base/unique_fd.h"
#include "base/usage_error.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "text/clean_text.h"

namespace imgmill {
namespace {

constexpr int kBytesAndEnds = 512;
constexpr int kClipTokens = 49408;
constexpr size_t kLongestLine = 1024;
constexpr std::string_view kWordEnd = "</w>";

bool Prints(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// The bytes in the order of their tokens.
std::array<int, 256> BytesInOrder() {
  std::array<int, 256> bytes{};
  size_t next = 0;
  for (const bool prints : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      if (Prints(byte) == prints) bytes[next++] = byte;
    }
  }
  return bytes;
}

/// Lines of a file, gzipped or not.
class Lines {
 public:
  static Result<Lines> Open(const std::string& path) {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) return ErrnoError(Stage::kConfigure, errno, "the vocabulary cannot be opened");
    struct stat info = {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode))
      return Error{Stage::kConfigure, Code::kReadError, "it is not a regular file"};
    const gzFile file = gzdopen(fd.get(), "rb");
    if (file == nullptr) return Error{Stage::kConfigure, Code::kOutOfMemory, "no memory for its reader"};
    fd.Release();
    return Lines(file);
  }

  /// Nothing at the end.
  Result<std::optional<std::string_view>> Next() {
    std::array<char, kLongestLine>& line = *line_;
    const bool any = gzgets(file_.get(), line.data(), static_cast<int>(line.size())) != nullptr;
    std::string_view text = any ? line.data() : "";
    if (!text.ends_with('\n')) {  // a last line without an end, or one of which the rest is not there
      int problem = Z_OK;
      const char* const reason = gzerror(file_.get(), &problem);
      if (problem != Z_OK && problem != Z_STREAM_END)
        return Error{Stage::kConfigure, Code::kMalformed, std::string("it is damaged: ") + reason};
      if (!any) return std::optional<std::string_view>();
    }
    if (text.size() == kLongestLine - 1)
      return Error{Stage::kConfigure, Code::kMalformed, "a line of it is longer than any token"};
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    return std::optional(text);
  }

 private:
  explicit Lines(gzFile file) : file_(file) {}

  struct Closer {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
  };
  std::unique_ptr<gzFile_s, Closer> file_;
  std::unique_ptr<std::array<char, kLongestLine>> line_ = std::make_unique<std::array<char, kLongestLine>>();
};

/// What is in no word. The iota below is none of the signs, since its capital is a letter, and no letter
/// itself.
bool IsBetweenWords(char32_t c) {
  return c == ' ' || c == 0x345;
}

bool IsNumber(char32_t c) {
  const GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_DECIMAL_NUMBER || type == G_UNICODE_LETTER_NUMBER ||
         type == G_UNICODE_OTHER_NUMBER;
}

constexpr std::u32string_view kStart = U"<start_of_text>", kEnd = U"<end_of_text>";

/// Whether `text` begins with these letters, whatever their case: the long s is an s, too.
bool BeginsWith(std::u32string_view text, std::u32string_view with) {
  return text.size() >= with.size() &&
         std::equal(with.begin(), with.end(), text.begin(),
                    [](char32_t a, char32_t b) { return a == b || (a == 's' && b == 0x17F); });
}

/// Length of the next word of a clean text: the names of start and end, endings behind an apostrophe,
/// letters, one figure, or a run of other signs.
size_t WordLength(std::u32string_view text) {
  for (const std::u32string_view fixed :
       {kStart, kEnd, std::u32string_view(U"'s"), std::u32string_view(U"'t"), std::u32string_view(U"'re"),
        std::u32string_view(U"'ve"), std::u32string_view(U"'m"), std::u32string_view(U"'ll"),
        std::u32string_view(U"'d")}) {
    if (BeginsWith(text, fixed)) return fixed.size();
  }
  if (IsNumber(text[0])) return 1;
  const auto other = [](char32_t c) { return !IsBetweenWords(c) && !g_unichar_isalpha(c) && !IsNumber(c); };
  const bool letters = g_unichar_isalpha(text[0]);
  size_t length = 1;
  while (length < text.size() && (letters ? g_unichar_isalpha(text[length]) != 0 : other(text[length])))
    ++length;
  return length;
}

}  // namespace

ClipTokenizer::ClipTokenizer() {
  int32_t next = 0;
  char32_t unprintable = 256;  // how the file spells bytes that do not print
  for (const int byte : BytesInOrder()) {
    const std::string spelt =
        ToUtf8(std::u32string(1, Prints(byte) ? static_cast<char32_t>(byte) : unprintable++));
    bytes_[byte] = next;
    symbols_.emplace(spelt, next);
    symbols_.emplace(spelt + std::string(kWordEnd), next + kBytesAndEnds / 2);
    ++next;
  }
}

std::string ClipTokenizer::Learn(std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
    return "it does not say which two tokens to join";
  const std::string left(line.substr(0, space)), right(line.substr(space + 1));
  const auto first = symbols_.find(left), second = symbols_.find(right);
  if (first == symbols_.end() || second == symbols_.end())
    return "it joins \"" + PrintablePath(first == symbols_.end() ? left : right) +
           "\", which no line before it makes";
  const auto rank = static_cast<int32_t>(joins_.size());
  const uint64_t pair = PairOf(first->second, second->second);
  const auto [made, is_new] = symbols_.emplace(left + right, kBytesAndEnds + rank);
  if (!is_new) return "it makes \"" + PrintablePath(left + right) + "\" once more";
  joins_.emplace(pair, Join{rank, made->second});
  return {};
}

Result<ClipTokenizer> ClipTokenizer::Read(const std::string& path, int tokens) {
  const int wanted = tokens - kBytesAndEnds - 2;
  const auto usage = [&](const std::string& has) {
    return UsageError(PrintablePath(path) + " has " + has + " lines than the " + std::to_string(wanted) +
                      " that a text tower of " + std::to_string(tokens) +
                      " tokens needs: it is another model's vocabulary");
  };
  const auto named = [&](Error error) {
    error.message = PrintablePath(path) + " cannot be used as a vocabulary: " + error.message;
    return error;
  };
  if (wanted < 0 || tokens > kClipTokens) {
    return UsageError("the model's text tower has " + std::to_string(tokens) + " tokens, CLIP's have " +
                      std::to_string(kClipTokens) + ": its tokenizer is another one");
  }
  Result<Lines> lines = Lines::Open(path);
  if (!lines) return named(lines.error());
  ClipTokenizer tokenizer;
  tokenizer.joins_.reserve(static_cast<size_t>(wanted));
  tokenizer.symbols_.reserve(static_cast<size_t>(tokens));
  for (int number = 0;; ++number) {
    const Result<std::optional<std::string_view>> line = lines->Next();
    if (!line) return named(line.error());
    const bool over = !*line || (number > 0 && (*line)->empty());
    if (over && number <= wanted) return usage("fewer");
    if (over) break;
    if (number > wanted) {
      if (tokens != kClipTokens) return usage("more");
      break;
    }
    if (number == 0) continue;
    if (const std::string wrong = tokenizer.Learn(**line); !wrong.empty())
      return named({Stage::kConfigure, Code::kMalformed,
                    "its line " + std::to_string(number + 1) + " is wrong: " + wrong});
  }
  tokenizer.start_ = tokens - 2;
  tokenizer.end_ = tokens - 1;
  return tokenizer;
}

void ClipTokenizer::EncodeWord(std::string_view bytes, std::vector<int32_t>& ids) const {
  std::vector<int32_t> word;
  for (const char c : bytes) word.push_back(bytes_[static_cast<uint8_t>(c)]);
  word.back() += kBytesAndEnds / 2;
  while (word.size() > 1) {
    const Join* best = nullptr;
    uint64_t pair = 0;
    for (size_t i = 0; i + 1 < word.size(); ++i) {
      const auto found = joins_.find(PairOf(word[i], word[i + 1]));
      if (found == joins_.end() || (best != nullptr && best->rank <= found->second.rank)) continue;
      best = &found->second;
      pair = found->first;
    }
    if (best == nullptr) break;
    size_t kept = 0;
    for (size_t i = 0; i < word.size(); ++i) {
      const bool joined = i + 1 < word.size() && PairOf(word[i], word[i + 1]) == pair;
      word[kept++] = joined ? best->whole : word[i];
      if (joined) ++i;
    }
    word.resize(kept);
  }
  ids.insert(ids.end(), word.begin(), word.end());
}

Result<ClipTokens> ClipTokenizer::Encode(std::string_view text, int context) const {
  const std::optional<std::u32string> characters = FromUtf8(text);
  if (!characters) {
    return UsageError("the text \"" + PrintablePath(text) + "\" is not UTF-8, as all texts must be");
  }
  const std::u32string clean = CleanText(*characters);
  ClipTokens tokens;
  tokens.ids.push_back(start_);
  const auto most = static_cast<size_t>(std::max(2, context));
  std::u32string_view rest = clean;
  while (!rest.empty() && tokens.ids.size() < most) {
    if (IsBetweenWords(rest[0])) {
      rest.remove_prefix(1);
      continue;
    }
    const std::u32string_view word = rest.substr(0, WordLength(rest));
    rest.remove_prefix(word.size());
    if (word == kStart || word == kEnd) {
      tokens.ids.push_back(word == kStart ? start_ : end_);
    } else {
      EncodeWord(ToUtf8(word), tokens.ids);
    }
  }
  tokens.cut = tokens.ids.size() > most - 1 || !rest.empty();
  tokens.ids.resize(std::min(tokens.ids.size(), most - 1));
  tokens.ids.push_back(end_);
  return tokens;
}

}  // namespace imgmill
