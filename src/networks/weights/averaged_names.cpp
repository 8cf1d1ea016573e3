// Compares the names of sets of weights word by word.
#include "networks/weights/averaged_names.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace imgmill {
namespace {

/// The words that tell nothing about which network it is.
constexpr std::string_view kOfAnySet[] = {"model", "state", "dict", "params", "weights", "module", "online"};

struct Words {
  std::string rest;  ///< in small letters, without separators
  bool averaged = false;
};

Words ReadWords(std::string_view name) {
  Words words;
  std::string word;
  const auto end_word = [&] {
    if (word == "ema") {
      words.averaged = true;
    } else if (std::find(std::begin(kOfAnySet), std::end(kOfAnySet), word) == std::end(kOfAnySet)) {
      words.rest += word;
    }
    word.clear();
  };
  for (const char c : name) {
    if (c == '_' || c == '-' || c == '.') {
      end_word();
    } else {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
  }
  end_word();
  return words;
}

}  // namespace

bool IsAveragedForm(std::string_view name, std::string_view raw) {
  const Words averaged = ReadWords(name), plain = ReadWords(raw);
  return averaged.averaged && !plain.averaged && averaged.rest == plain.rest;
}

}  // namespace imgmill
