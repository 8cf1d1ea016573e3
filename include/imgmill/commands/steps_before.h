// What is wrong with the files and folders that a command's options name, said before any work; and what a
// step of a pipeline may count on, though it is not there yet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

struct CommandServices;
class Command;

/// What the steps before one will have left when its turn comes. Empty: all that there will be is there.
struct StepsBefore {
  /// The pipeline's folder, which a run makes before its first step; empty once the step's turn has come.
  std::string output;

  /// Folders that they write, copy or move files to.
  std::vector<std::string> folders;

  /// What makes the vectors that they put into the catalog: ChecksAhead::vector_maker of each.
  std::vector<std::string> vector_makers;

  /// The last one that makes files of its images: its name, its folder, and how the files' names end, as in
  /// ".png". Empty where the step is given images of the input.
  std::string given_by, given_in, given_ending;

  /// When its turn has come: all that there will be is there.
  StepsBefore OfFilesGiven() const { return {{}, {}, {}, given_by, given_in, given_ending}; }

  bool are_now() const { return output.empty(); }

  /// Whether `path`, which is not there, may be there then.
  bool MayMake(const std::string& path) const;
  bool MakeVectors(const std::string& maker) const;
  /// Whether `folder` is the one whose files the step is given.
  bool GiveFilesOf(const std::string& folder) const;
};

/// What a command that works on images is beside that: it can be asked before it begins, and so can each step
/// of a pipeline before the first one begins.
class ChecksAhead {
 public:
  virtual ~ChecksAhead() = default;
  /// What is wrong with what the options say is read beside the images: folders of partners, catalogs,
  /// weights. Loads no model.
  virtual Status MayRead(const CommandServices&, const StepsBefore&) const { return {}; }
  /// Likewise with what is written. Makes nothing.
  virtual Status MayWrite(const CommandServices&, const StepsBefore&) const { return {}; }
  /// Files that the options name for figures of all images, such as that of --export: a run writes them anew
  /// where they would differ. No pages: a dry run makes those, too.
  virtual std::vector<std::string> named_files() const { return {}; }
  /// Of the files that it passes on in place of its images: how their names end, as in ".png".
  virtual std::string output_ending() const { return {}; }
  /// Folders for the partners of those files, below which each has the name of its file; empty if there are
  /// none.
  virtual std::vector<std::string> partner_folders() const { return {}; }
  /// MakerOf the vectors that it leaves in the catalog; nothing if it leaves none.
  virtual std::optional<std::string> vector_maker() const { return std::nullopt; }

  /// The same object; one that checks nothing where the command is none.
  static const ChecksAhead& Of(const Command& command);
};

}  // namespace imgmill
