// `imgmill match`: for each query, an image or a text, the nearest images of a catalog.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"

namespace imgmill {

struct MatchOptions {
  /// What made the vectors that are searched: the same as for `embed`.
  EmbeddingOptions embedding;

  /// Queries in words, each like an image. They need a model with a text tower.
  std::vector<std::string> texts;

  /// The file of CLIP's byte-pair vocabulary, which `texts` need.
  std::string vocabulary;

  /// Search the images that are below these folders. Each one's default catalog is used, or that of the
  /// nearest embedded folder above it, unless --catalog names one. Empty: all images of the catalog.
  std::vector<std::string> in;

  /// Queries beside the images that are listed: all that are below these folders and embedded, or all of
  /// these catalogs (folders with a catalog.sqlite), that are there as they were. Nothing of theirs is read.
  std::vector<std::string> queries;

  /// Images to find for each query, the nearest first; kTop by default.
  std::optional<int> top;
  static constexpr int kTop = 5;

  /// Gives each query one image in place of those, which no other query has: the most alike pairs first.
  bool unique = false;

  /// Cosine that a match must have at least, -1 to 1. -1 leaves out none.
  double min_similarity = -1;

  /// A query that is itself one of the images searched is not its own match. Copies of it under other names
  /// are.
  bool exclude_self = false;

  /// "all": each image's file is looked at, whether it is there as it was embedded. "found": only those that
  /// are found, and all where one of them is not; the same is found. Empty: all of up to 50,000.
  std::string check_files;

  /// A page of the queries and what was found; empty for none.
  std::string html;

  /// "text", "csv" or "jsonl".
  std::string format = "text";

  std::optional<std::string> Check() const;
};

/// Declares the flags; the command they fill is returned.
std::unique_ptr<Command> AddMatch(Flags& flags);

}  // namespace imgmill
