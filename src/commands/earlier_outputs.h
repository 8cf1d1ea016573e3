// The list of outputs that earlier runs have left in a folder: what of it is still true when a run has ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// What a list is of, and how its lines and the names in them are made.
struct ManifestKind {
  std::string_view noun;         ///< for messages: "tiles"
  std::string_view field;        ///< a line's first, the path of an output: "tile"
  std::string_view other_field;  ///< of a second output of the same line, where there is one; empty: never
  int numbers = 1;               ///< that end an output's name, each behind an underscore
  std::string_view others_field =
      {};  ///< of an array of objects, each with the path of one more output as "tile"
};

/// How much of an earlier list stays.
struct KeptOutputs {
  uint64_t outputs = 0;  ///< of sources that the run was not given
  uint64_t sources = 0;
  uint64_t failed_outputs = 0;  ///< of sources that failed, made of them by an earlier run
  uint64_t failed_sources = 0;
};

class EarlierOutputs {
 public:
  /// @param list    path of the list; its folder is that of the outputs.
  EarlierOutputs(const ManifestKind& kind, std::string list);

  /// kConflict (it is something else) or kMalformed (a line is none of a list), with the line's number. A
  /// list that is not there, or empty, is fine. Reads all of it: to be asked before the work.
  Status Check() const;

  /// A source that this run has worked on, and what its outputs' names begin with: all lines of either go.
  void Replace(std::string_view source, std::string_view prefix);

  /// A source that this run has been given, and that failed: its lines stay as others' do, and are counted
  /// apart.
  void Failed(std::string_view source);

  /// Tells `put` of the lines that stay, in their order: of other sources, their outputs being there.
  Result<KeptOutputs> Copy(const std::function<Status(std::string_view)>& put);

 private:
  struct Line;
  Status ForEachLine(const std::function<Status(std::string_view text, const Line& line)>& each) const;
  bool Parse(std::string_view text, Line& line) const;
  bool Replaced(std::string_view source, std::string_view output) const;
  bool IsThere(const std::string& output) const;
  std::string_view PrefixOf(std::string_view output) const;

  ManifestKind kind_;
  std::string list_;
  std::string folder_;
  /// Hashes of sources and of prefixes: 16 bytes an image; of one that failed, 8.
  std::vector<uint64_t> failed_;
  std::vector<uint64_t> sources_;
  std::vector<uint64_t> prefixes_;
};

}  // namespace imgmill
