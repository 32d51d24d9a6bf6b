"""Who takes part. Each engine is a module with the same few functions, so that a run can load one without the others.

document(workload)     what the engine loads, as it would come over the network
load(document)         ready to answer
subject(tenant)        what the engine is asked with, made before anything is timed
one(engine)            a function of (key, subject)
walk(engine, pairs)    a function that asks for each (key, subject) as quickly as the engine offers it
every(engine, keys)    a function of (subject) that gives every flag's answer
resolve(engine)        a function of (subject) that gives an object with is_enabled(key), where the engine knows such a thing
close(engine)          ends what loading began, where that is needed
"""
