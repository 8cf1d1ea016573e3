// What made the vectors of a catalog, in words for messages.
#pragma once

#include <string>

#include "imgmill/base/error.h"
#include "imgmill/commands/command.h"
#include "imgmill/commands/embedding_options.h"
#include "imgmill/commands/steps_before.h"

namespace imgmill {

/// "builtin/1", or "weights/1 0123... 224x224 ..." without most of the digest.
std::string KindText(const std::string& kind);

/// Remembers what a model's file is called and how many numbers its vectors have, for messages: kinds have
/// its digest only.
Status NoteModel(Catalog& catalog, const ContentDigest& model, const std::string& path, int dimension);

/// kUsage: there are none of this kind, but of those that are named, all with their model's file and their
/// numbers as far as they are known.
/// @param dimension  of the kind that is asked for; 0 where it is not known
/// @param folder     whose catalog it is; empty where the user has named the catalog
Error NoVectors(Catalog& catalog, const std::string& kind, int dimension, const std::string& folder = {});

/// What makes such vectors, whatever it is shown: the model's file, or the name that they were imported
/// under; empty for the built-in descriptor.
std::string MakerOf(const EmbeddingOptions& embedding);

/// Of a step of a pipeline: kUsage unless the catalog has vectors that such a maker has made, or a step
/// before will make them.
Status HasVectors(const EmbeddingOptions& embedding, const CommandServices& services,
                  const StepsBefore& before);

}  // namespace imgmill
