// Videos as sources of frames, by the loadable module.
#pragma once

#include <memory>
#include <string>

#include "imgmill/image/frame_source.h"
#include "open_file.h"
#include "vips_load.h"

namespace imgmill {

/// For who reads images only.
Error VideoIsNoImage(const FileHead& head);

/// kUnknownFormat where it is none that FFmpeg knows.
Result<ImageHeader> ProbeVideo(const InputFile& file, const ImageLimits& limits);

/// The image that stands for an AVIF or HEIF sequence is known: adds what reading the others takes, if they
/// can be read. Not those with alpha, which is a stream of its own.
void NoteSequence(const InputFile& file, ImageHeader& header);

Result<std::unique_ptr<FrameSource>> OpenVideoFrames(const std::string& path, const ImageHeader& header,
                                                     int threads = 1);

/// Bytes that one of these holds.
Footprint VideoFootprint(const ImageHeader& header, int threads = 1);

}  // namespace imgmill
