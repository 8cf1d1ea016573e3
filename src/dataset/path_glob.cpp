// Shell patterns on paths, run as a set of states over the bytes so that no pattern can take exponential
// time.
#include "dataset/path_glob.h"

#include <algorithm>

#include "base/path_parts.h"
#include "base/utf8.h"

namespace imgmill {

PathGlob::PathGlob(std::string_view pattern) {
  size_t at = 0;
  while (at < pattern.size()) {
    const char c = pattern[at];
    const std::string_view rest = pattern.substr(at);
    if (rest.starts_with("**/") && (at == 0 || pattern[at - 1] == '/')) {
      tokens_.push_back({Kind::kFolders});
      at += 3;
    } else if (rest.starts_with("**")) {
      tokens_.push_back({Kind::kStarStar});
      at += 2;
    } else if (c == '*') {
      tokens_.push_back({Kind::kStar});
      ++at;
    } else if (c == '?') {
      tokens_.push_back({Kind::kOne});
      ++at;
    } else if (c == '[') {
      ParseSet(pattern, at);
    } else {
      if (c == '\\' && at + 1 < pattern.size()) ++at;
      tokens_.push_back({Kind::kByte, pattern[at]});
      ++at;
    }
  }
}

void PathGlob::ParseSet(std::string_view pattern, size_t& at) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  // A ] that comes first is a member, as in the shell.
  const size_t end = pattern.find(']', i + 1);
  if (end == std::string_view::npos) {
    tokens_.push_back({Kind::kByte, '['});
    ++at;
    return;
  }
  std::bitset<256> set;
  while (i < end) {
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < end && pattern[i + 1] == '-') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    for (unsigned value = low; value <= high; ++value) set.set(value);
    ++i;
  }
  if (negated) set.flip();
  set.reset('/');
  tokens_.push_back({Kind::kSet, 0, sets_.size()});
  sets_.push_back(set);
  at = end + 1;
}

/// A token that may match nothing lets the state after it live too.
void PathGlob::Close(std::vector<char>& states) const {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const Kind kind = tokens_[i].kind;
    if (states[i] == 1 && (kind == Kind::kStar || kind == Kind::kStarStar || kind == Kind::kFolders) &&
        states[i + 1] == 0) {
      states[i + 1] = 1;
    }
  }
}

bool PathGlob::Matches(std::string_view path) const {
  // 1: the tokens before this one matched all bytes so far. 2: so, but inside of a folder that kFolders
  // skips.
  std::vector<char> states(tokens_.size() + 1, 0);
  std::vector<char> next(states.size());
  // A character of several bytes moves `?` by all of them at once: states that wait for later bytes.
  std::vector<size_t> skip(states.size(), 0);
  std::vector<size_t> next_skip(states.size());
  states[0] = 1;
  Close(states);
  for (size_t at = 0; at < path.size(); ++at) {
    const char byte = path[at];
    next.assign(next.size(), 0);
    next_skip.assign(next_skip.size(), 0);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (skip[i] > 1) {
        next_skip[i] = skip[i] - 1;
      } else if (skip[i] == 1) {
        next[i + 1] = 1;
      }
      if (states[i] == 0) continue;
      const Token& token = tokens_[i];
      switch (token.kind) {
        case Kind::kByte:
          if (byte == token.byte) next[i + 1] = 1;
          break;
        case Kind::kSet:
          if (sets_[token.set].test(static_cast<unsigned char>(byte))) next[i + 1] = 1;
          break;
        case Kind::kOne:
          if (byte != '/') {
            const size_t length = std::max<size_t>(1, Utf8Length(path.substr(at)));
            if (length == 1) {
              next[i + 1] = 1;
            } else {
              next_skip[i] = length - 1;
            }
          }
          break;
        case Kind::kStar:
          if (byte != '/') next[i] = 1;
          break;
        case Kind::kStarStar:
          next[i] = 1;
          break;
        case Kind::kFolders:
          if (byte == '/') {
            next[i] = 1;
          } else if (next[i] == 0) {
            next[i] = 2;
          }
          break;
      }
    }
    std::swap(states, next);
    std::swap(skip, next_skip);
    Close(states);
  }
  return states[tokens_.size()] == 1;
}

std::vector<PathFilter::Pattern> PathFilter::Compile(const std::vector<std::string>& patterns, bool include) {
  std::vector<Pattern> compiled;
  for (std::string text : patterns) {
    bool on_folder = text.size() > 1 && text.ends_with('/');
    if (on_folder) text.pop_back();
    bool on_name = text.find('/') == std::string::npos && text.find("**") == std::string::npos;
    if (on_folder && include) {  // to include a folder is to include what lies in it
      text = (on_name ? "**/" : "") + text + "/**";
      on_folder = on_name = false;
    }
    if (text.starts_with('/')) text.erase(0, 1);  // "/a.jpg": right in the listed folder, as in .gitignore
    compiled.push_back({PathGlob(text), on_name, on_folder});
  }
  return compiled;
}

PathFilter::PathFilter(const std::vector<std::string>& include, const std::vector<std::string>& exclude,
                       bool videos)
    : include_(Compile(include, true)), exclude_(Compile(exclude, false)), videos_(videos) {
  for (const auto* patterns : {&include_, &exclude_}) {
    for (const Pattern& pattern : *patterns) {
      if (!pattern.on_name || pattern.on_folder) looks_at_folders_ = true;
    }
  }
}

bool PathFilter::Any(const std::vector<Pattern>& patterns, std::string_view relative, bool folder) {
  for (const Pattern& pattern : patterns) {
    if (pattern.on_folder == folder && pattern.glob.Matches(pattern.on_name ? NameOf(relative) : relative))
      return true;
  }
  return false;
}

bool PathFilter::Takes(std::string_view relative) const {
  if (!include_.empty() && !Any(include_, relative, false)) return false;
  return exclude_.empty() || !Any(exclude_, relative, false);
}

bool PathFilter::Enters(std::string_view relative) const {
  return exclude_.empty() || !Any(exclude_, relative, true);
}

}  // namespace imgmill
