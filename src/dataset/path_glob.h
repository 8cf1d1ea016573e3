// Shell patterns on paths: what --include and --exclude mean.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

namespace imgmill {

/// `*` and `?` do not cross a slash, `**` does, `**/` also matches no folder at all; [a-z], [!a-z]; a
/// backslash takes the next byte as it is. `?` is one character of UTF-8, or one byte that is none. A `[`
/// without its `]` is literal.
class PathGlob {
 public:
  explicit PathGlob(std::string_view pattern);

  /// Time is proportional to pattern times path, whatever the pattern: no backtracking.
  bool Matches(std::string_view path) const;

 private:
  enum class Kind { kByte, kSet, kOne, kStar, kStarStar, kFolders };
  struct Token {
    Kind kind;
    char byte = 0;
    size_t set = 0;
  };
  void ParseSet(std::string_view pattern, size_t& at);
  void Close(std::vector<char>& states) const;

  std::vector<Token> tokens_;
  std::vector<std::bitset<256>> sets_;
};

/// Which paths a listing takes.
class PathFilter {
 public:
  /// @param videos  whether these are taken, as images are
  PathFilter(const std::vector<std::string>& include, const std::vector<std::string>& exclude, bool videos);

  /// @param relative  path below the listed folder.
  bool Takes(std::string_view relative) const;
  /// Whether to go into this folder.
  bool Enters(std::string_view relative) const;
  /// False if every answer hangs on the name alone, so that it is the same from whichever folder one looks.
  bool looks_at_folders() const { return looks_at_folders_; }
  bool videos() const { return videos_; }

 private:
  struct Pattern {
    PathGlob glob;
    bool on_name;    ///< no slash: matched against the last component
    bool on_folder;  ///< an exclude that ends in a slash: matched against folders only
  };
  static std::vector<Pattern> Compile(const std::vector<std::string>& patterns, bool include);
  static bool Any(const std::vector<Pattern>& patterns, std::string_view relative, bool folder);

  std::vector<Pattern> include_;
  std::vector<Pattern> exclude_;
  bool videos_;
  bool looks_at_folders_ = false;
};

}  // namespace imgmill
