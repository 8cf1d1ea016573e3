// Which file of a second folder belongs to which listed one: the same path below its folder, whatever the
// extension.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// The files of one folder, ready to be looked up. Memory: their paths.
class PairIndex {
 public:
  /// Lists the folder of `options`. kNotFound if there is none.
  static Result<PairIndex> Read(const ListOptions& options);

  /// The path of `file`'s partner: sub/photo.png goes with FOLDER/sub/photo.jpg. kNotFound without one;
  /// kConflict if several files here, or several beside `file`, could be meant: nothing is guessed.
  Result<std::string> Take(const ListedFile& file);

  /// What Take was never asked for, in bytewise order, and what could not be listed.
  std::vector<ListProblem> Unpaired() const;

 private:
  struct Entry {
    std::string key;  ///< path below the folder, without extension
    std::string path;
    bool taken = false;
  };
  std::string folder_;
  std::vector<Entry> entries_;  // by key
  std::vector<ListProblem> problems_;
};

}  // namespace imgmill
