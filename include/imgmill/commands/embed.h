// `imgmill embed`: a vector for each image, kept in the catalog and written to a file if wanted.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"

namespace imgmill {

struct EmbedOptions {
  /// What makes the vectors.
  EmbeddingOptions embedding;

  /// File for all vectors of the run, by its extension: .npy (float32, a row an image; the paths go to a text
  /// file beside it), .parquet, .csv or .jsonl; or a folder, with a slash at its end, in clip-retrieval's
  /// layout. Empty: they are in the catalog only.
  std::string export_file;

  std::optional<std::string> Check() const;
};

/// Declares the flags on `app`; the command they fill is returned.
std::unique_ptr<Command> AddEmbed(CLI::App& app);

}  // namespace imgmill
