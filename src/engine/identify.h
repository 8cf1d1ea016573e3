// What is known of an item's files before a pixel is read: stamp, content, size, header.
#pragma once

#include <string>

#include "imgmill/engine/engine.h"

namespace imgmill {

/// Canonical paths of files that mostly lie in the same folder as the one before, whose path is resolved
/// once.
class CanonicalFiles {
 public:
  /// CanonicalOrSame of a file's path. @param is_link  the file is a symbolic link
  std::string Of(const std::string& path, bool is_link);

 private:
  std::string folder_;
  std::string canonical_;  ///< empty: of no folder yet
};

/// A run's view of the catalog, one file after another. Used by the feeder and the workers at once.
class Identifier {
 public:
  Identifier(const EngineOptions& options, const EngineServices& services)
      : options_(options), services_(services) {}

  /// Fills path, canonical path and stamp of the file and of its partner, which is found here. The feeder's.
  Status Locate(Item& item, Operation& operation);

  /// Fills the contents if the catalog has seen these very files. With --force it has not.
  bool FindContents(Item& item) const;

  /// Takes the files' digests and notes them.
  Status Digest(Item& item) const;

  /// Recalls what the catalog knows of the item's content for an operation, which includes its size: a
  /// image that the limits refuse now is not recalled, so that the probe refuses it as it would a new one.
  /// With --force nothing is recalled.
  Result<bool> Recall(Item& item, Operation& operation, Outcome& outcome) const;

  /// Fills the headers. @param videos  these may be videos
  Status ProbeFiles(Item& item, bool videos) const;

  /// Fills the sizes as a person sees them, and tells the catalog.
  Status RememberSizes(Item& item) const;

  /// Whether the files are still those whose contents were noted.
  Status CheckUnchanged(const Item& item) const;

 private:
  const EngineOptions& options_;
  const EngineServices& services_;
  CanonicalFiles canonical_;
};

}  // namespace imgmill
