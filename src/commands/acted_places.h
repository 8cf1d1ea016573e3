// Where the files of an act are afterwards: for pages, whose links must lead there, and for a next step.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "imgmill/dataset/journal.h"
#include "imgmill/dataset/listing.h"

namespace imgmill {

/// Some 9 bytes for each action that is planned.
class ActedPlaces {
 public:
  /// @param folder  that files are moved to; empty where none is
  explicit ActedPlaces(std::string folder = {}) : folder_(std::move(folder)) {}

  /// To be told of each image once its action is planned, in order.
  void Add(const ListedFile& file);
  /// Of an action that was carried out.
  void MarkDone(const FileAction& action);

  bool WasDone(const ListedFile& file) const { return file.index < done_.size() && done_[file.index]; }
  /// Of an image that was moved, its new place.
  std::string PathOf(const ListedFile& file) const;
  /// Whether nothing is at PathOf: it was deleted, by us or by others.
  bool IsGone(const ListedFile& file) const;

 private:
  std::string folder_;
  std::vector<uint64_t> indices_;                      ///< of the listed files, by the action's number
  std::vector<bool> done_;                             ///< by the file's index
  std::unordered_map<uint64_t, std::string> renamed_;  ///< few: the planned name was taken
};

}  // namespace imgmill
