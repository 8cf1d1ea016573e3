// `imgmill embed`: a vector for each image, kept in the catalog and written to a file if wanted.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"

namespace imgmill {

/// Vectors that another program has made.
struct ImportOptions {
  /// A .npy file of a row an image, a Parquet file, or a folder in clip-retrieval's layout. Empty: none.
  std::string file;

  /// Of a .npy file, the images' paths: a line each, as `--export` writes them, or a column of a Parquet
  /// file. Empty: NAME.paths.txt beside NAME.npy.
  std::string names;

  /// The folder that paths which are not absolute begin at; empty for the current one.
  std::string base;

  /// "PATHS,VECTORS": columns of Parquet files. Empty: the column of a usual name, and the only one of
  /// vectors.
  std::string columns;

  std::optional<std::string> Check() const;
};

struct EmbedOptions {
  /// What makes the vectors.
  EmbeddingOptions embedding;

  /// Takes vectors from a file in place of making them, under the name of `embedding.model_name`.
  ImportOptions imported;

  /// File for all vectors of the run, by its extension: .npy (float32, a row an image; the paths go to a text
  /// file beside it), .parquet, .csv or .jsonl; or a folder, with a slash at its end, in clip-retrieval's
  /// layout. Empty: they are in the catalog only.
  std::string export_file;

  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddEmbed(Flags& flags);

}  // namespace imgmill
