// The list of all outputs of a folder, beside them: which file each was made from, and how.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "earlier_outputs.h"
#include "imgmill/base/result.h"
#include "imgmill/commands/command.h"

namespace imgmill {

/// JSON Lines, written as it grows, in its place once it is complete: memory does not depend on its length.
/// First what an earlier list says of other sources whose outputs are still there, then those of this run.
class OutputManifest {
 public:
  /// @param path  of the finished manifest. kConflict or kMalformed if what has that name is no whole one,
  /// unless `overwrite`, which replaces it.
  static Result<std::unique_ptr<OutputManifest>> Open(const ManifestKind& kind, const std::string& path,
                                                      bool overwrite);
  /// What Open would refuse, without a trace.
  static Status MayOpen(const ManifestKind& kind, const std::string& path, bool overwrite);
  /// Removes what was not finished.
  ~OutputManifest();
  OutputManifest(const OutputManifest&) = delete;
  OutputManifest& operator=(const OutputManifest&) = delete;

  /// A source that the run has worked on: earlier lines of it, or of outputs whose names begin so, go.
  void Replace(std::string_view source, std::string_view prefix);
  /// A source that the run has failed on: what an earlier run has made of it stays, see EarlierOutputs.
  void Failed(std::string_view source);
  /// An object that begins with the kind's field. A failure is told by Finish.
  void Add(const nlohmann::ordered_json& line);
  /// Puts it in its place.
  Result<KeptOutputs> Finish();

 private:
  OutputManifest(std::string path, std::string temporary, int descriptor);
  void Put(std::string_view line);
  void Drain();
  Result<KeptOutputs> PutEarlierFirst();
  Status AppendFile(const std::string& path);

  std::string path_;
  std::optional<EarlierOutputs> earlier_;  ///< nothing where there was no list, or it is replaced
  std::string temporary_;
  int descriptor_;
  std::string pending_;
  Status status_;
};

/// Says in the summary and the JSON document what earlier lines the list has kept.
/// @param one    of an output, for people: "pair"
/// @param field  of outputs, in JSON: "tiles"
void TellKept(const KeptOutputs& kept, const std::string& one, const std::string& field,
              CommandResult& result);

}  // namespace imgmill
