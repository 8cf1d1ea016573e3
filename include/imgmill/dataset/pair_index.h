// Which file of a second folder belongs to which listed one: the same path below its folder, whatever the
// extension.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/dataset/listing.h"
#include "imgmill/dataset/record_table.h"

namespace imgmill {

/// What the names of a folder's files have around the part that partners share: "{name}_x4".
class NamePattern {
 public:
  NamePattern() = default;
  /// kUsage, without the flag's name, unless {name} stands in it once, and no slash.
  static Result<NamePattern> Parse(std::string_view text);
  /// The shared part of a name without extension; nothing if it does not follow the pattern.
  std::optional<std::string> Shared(std::string_view stem) const;
  std::string With(std::string_view shared) const { return before_ + std::string(shared) + after_; }
  std::string Text() const { return With("{name}"); }

 private:
  std::string before_, after_;
};

/// How the names of the listed files and those of their partners are made.
struct PairNames {
  NamePattern own, partner;
};

/// The files of one folder, ready to be looked up. Memory: 8 MiB while it is read, then a byte a file; their
/// paths are in an unnamed temporary file.
class PairIndex {
 public:
  /// Lists the folder of `options`. kInterrupted where its stop flag is set; kDiskFull and kWriteError of
  /// temporary files.
  static Result<PairIndex> Read(const ListOptions& options, PairNames names = {});

  /// The path of `file`'s partner: sub/photo.png goes with FOLDER/sub/photo.jpg, or, where partners are named
  /// {name}_x4, with FOLDER/sub/photo_x4.jpg. Where the listed folder is the one around FOLDER, as that of a
  /// pipeline's tiles is, HQ/sub/photo.png goes with FOLDER/sub/photo.jpg. kNotFound without one, or where
  /// its name is not made as `names` says; kConflict if several files here, or several beside `file`, could
  /// be meant: nothing is guessed. kReadError of the temporary file.
  Result<std::string> Take(const ListedFile& file);

  /// Files whose names are not made as those of partners: they are no one's, and nobody misses one.
  uint64_t left_aside() const { return left_aside_; }
  std::string pattern() const { return names_.partner.Text(); }

  /// What could not be listed, and what Take was never asked for, in bytewise order.
  void AddUnpaired(std::vector<ListProblem>& problems) const;

 private:
  /// The paths of a key's files, two at most: more are not told.
  Result<std::vector<std::string>> TakeAll(const std::string& key);

  /// Whether the file is in a folder beside this one, and was listed with the folder around both.
  bool LiesBeside(const ListedFile& file);
  /// Of such a file; kConflict where images of two folders beside this one have partners here.
  Result<std::vector<std::string>> FindBeside(const ListedFile& file, const std::string& key);

  std::string folder_;
  std::string around_;                        ///< the canonical folder around it
  std::string own_folder_;                    ///< beside this one, whose images have partners here
  std::string last_folder_, last_canonical_;  ///< of the file that was asked for last
  PairNames names_;
  std::shared_ptr<RecordFile> entries_;  ///< path below the folder without extension, "//", path; sorted
  std::vector<bool> taken_;
  uint64_t left_aside_ = 0;
  std::vector<ListProblem> problems_;
};

}  // namespace imgmill
