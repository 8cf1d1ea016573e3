// How the files of an output folder were made, out of its catalog.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/catalog/finished_work.h"

namespace imgmill {

/// What became of a file that something was made from.
enum class SourceState {
  kAsItWas,
  kChanged,
  kGone,
  kMoved,    ///< not there, as the file was moved from there to where it is now
  kSeveral,  ///< it was made from many, as a shard or a table is
  kStdin     ///< a member of an archive that came on stdin, which nobody kept
};

/// Reads the file if its size does not tell. Errors: those of DigestOf, but for one that is not there.
Result<SourceState> StateOf(const FoundWork& work);
Result<SourceState> StateOf(const std::string& source, const ContentDigest& content);
std::string_view ToString(SourceState state);

/// A file that an output folder has, and what its catalog says of it.
struct Provenance {
  enum class State {
    kAsWritten,
    kChanged,  ///< another file of this name was written
    kUnknown   ///< none was
  };
  State state = State::kUnknown;
  ContentDigest content;  ///< as it is now; not read of an unknown one
  FoundWork work;         ///< that made it, where it is as written
};

class ProvenanceFolder {
 public:
  /// @param folder  as the user gave it. kNotFound where it has no catalog.
  static Result<std::unique_ptr<ProvenanceFolder>> Open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  /// Of a file that is there, by its path below the folder. Reads it.
  Result<Provenance> Of(const std::string& relative) { return Of(relative, folder_ + "/" + relative); }
  /// Of one that lies elsewhere.
  Result<Provenance> Of(const std::string& relative, const std::string& path);
  /// Of one that may be gone: the work that gave this content.
  Result<std::optional<FoundWork>> ThatGave(const std::string& relative, const ContentDigest& content);
  /// Of a source: its path below this folder, as an earlier step of a pipeline wrote it; nothing where it
  /// lies elsewhere.
  std::optional<std::string> Below(const std::string& source) const;

  FinishedWork& work() { return *work_; }

 private:
  ProvenanceFolder() = default;
  std::string folder_;
  std::string canonical_;
  std::unique_ptr<FinishedWork> work_;
};

}  // namespace imgmill
